#!/bin/sh
# Trunk's last step: lecture notes, names that carry a hash, and the service worker's list of files.
# Runs in the staging folder that trunk then moves to dist/.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${TRUNK_STAGING_DIR:?this script is run by trunk}"

only() { # the one file that matches
  [ $# -eq 1 ] && [ -f "$1" ] || { echo "finish-site: expected one file, found: $*" >&2; exit 1; }
  echo "$1"
}
# Lecture notes stand with their labs.
mkdir -p notes
for file in "$here"/../src/labs/*/notes.*.html; do
  lab=$(basename "$(dirname "$file")")
  # The last line is how the page knows them, whole, from whatever else may answer (src/page/notes.rs).
  { cat "$file"; echo '<!-- These are all the notes. -->'; } > "notes/$lab.${file##*/notes.}"
done

app=$(only app-*.js)
app_wasm=$(only app-*_bg.wasm)

# Trunk does not hash these names; a stale copy beside a new page would not understand it.
hashed() { # the new name of a script
  name=${1%.js}-$(sha256sum "$1" | cut -c1-16).js
  mv "$1" "$name"
  echo "$name"
}
check=$(hashed check.js)
boot=$(hashed boot.js)
hash=$(cat worker.js worker_bg.wasm | sha256sum | cut -c1-16)
mv worker.js "worker-$hash.js"
mv worker_bg.wasm "worker-$hash.wasm"

# A sandboxed frame may check a style sheet only if it was asked for so.
sed -i "s/rel=\"stylesheet\"/& crossorigin/; s/\"check\.js/\"$check/; s/\"boot\.js/\"$boot/; s/@APP@/$app/; s/@APP_WASM@/$app_wasm/; s/@WORKER@/worker-$hash.js/; s/@WORKER_WASM@/worker-$hash.wasm/" index.html
if grep -q '@[A-Z_]*@' index.html; then
  echo "finish-site: a name in index.html was not filled in" >&2
  exit 1
fi

list() { # NAME: an object of what is read as "SHA-256  file"; "./" stands for the index, too
  echo "const $1 = {"
  sed 's/^\([0-9a-f]*\)  \(.*\)/  "\2": "\1",/; s/^  "\.\/index\.html"\(.*\)/&\n  ".\/"\1/'
  echo '};'
}
sums=$(find . -type f ! -path './weights/*' ! -name sw.js ! -name '*.md' ! -name '*.br' ! -name '*.gz' | LC_ALL=C sort | xargs sha256sum)
{
  echo "const VERSION = \"$(echo "$sums" | sha256sum | cut -c1-16)\";"
  echo "$sums" | list FILES
  # What is larger is kept once a lab has used it: a first visit is not to cost that much.
  find weights -type f ! -name '*.json' ! -name '*.json.*' -size -12000001c | LC_ALL=C sort | xargs sha256sum | sed 's/^\([0-9a-f]*\).*/&?sha256=\1/' | list WEIGHTS
  cat "$here/sw.js"
} > sw.js
