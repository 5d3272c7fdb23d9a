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
  cp "$file" "notes/$lab.${file##*/notes.}"
done

app=$(only app-*.js)
app_wasm=$(only app-*_bg.wasm)

# Trunk does not hash these names; a stale copy beside a new page would not understand it.
boot_hash=$(sha256sum boot.js | cut -c1-16)
mv boot.js "boot-$boot_hash.js"
hash=$(cat worker.js worker_bg.wasm | sha256sum | cut -c1-16)
mv worker.js "worker-$hash.js"
mv worker_bg.wasm "worker-$hash.wasm"

sed -i "s/boot\.js/boot-$boot_hash.js/; s/@APP@/$app/; s/@APP_WASM@/$app_wasm/; s/@WORKER@/worker-$hash.js/; s/@WORKER_WASM@/worker-$hash.wasm/" index.html
if grep -q '@[A-Z_]*@' index.html; then
  echo "finish-site: a name in index.html was not filled in" >&2
  exit 1
fi

files=$(find . -type f ! -path './weights/*' ! -name sw.js ! -name '*.md' | LC_ALL=C sort)
version=$(echo "$files" | xargs sha256sum | sha256sum | cut -c1-16)
{
  echo "const VERSION = \"$version\";"
  echo 'const FILES = ["./",'
  echo "$files" | sed 's/.*/  "&",/'
  echo '];'
  echo 'const WEIGHTS = ['
  # What is larger is kept once a lab has used it: a first visit is not to cost that much.
  find weights -type f ! -name '*.json' -size -12000001c | LC_ALL=C sort | while read -r file; do echo "  \"$file?sha256=$(sha256sum "$file" | cut -d' ' -f1)\","; done
  echo '];'
  cat "$here/sw.js"
} > sw.js
