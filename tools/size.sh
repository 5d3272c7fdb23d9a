#!/bin/sh
# What the page's program and the engine's weigh (gzip -9), against what was recorded; fails above the
# record plus a budget for each lab that came since. `size.sh record` records what is there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/..
record=$here/size.json

page_budget=12000 # bytes for each new lab
engine_budget=40000

one() { # the size of the one file that matches
  [ $# -eq 1 ] && [ -f "$1" ] || { echo "size: there is no built site in dist/: run \`make dist\` first." >&2; exit 1; }
  gzip -9 -c "$1" | wc -c
}
page=$(one "$root"/dist/app-*_bg.wasm)
engine=$(one "$root"/dist/worker-*.wasm)
labs=$(sed -n '/^labs! {/,/^}/p' "$root/src/labs/mod.rs" | grep -c '^    [a-z_]*,$')

if [ "${1:-}" = record ]; then
  printf '{ "labs": %s, "page": %s, "engine": %s }\n' "$labs" "$page" "$engine" > "$record"
fi
recorded() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$record"; }

new=$((labs - $(recorded labs)))
failed=0
compare() { # NAME SIZE BUDGET
  base=$(recorded "$1")
  limit=$((base + new * $3))
  # Two builds of the same code may differ by some bytes.
  slack=$((base / 200))
  printf '%-7s %9d bytes gzip, %+d since the record of %d; %d new labs, at most %d\n' "$1" "$2" $(($2 - base)) "$base" "$new" "$limit"
  [ "$2" -le $((limit + slack)) ] || failed=1
}
compare page "$page" "$page_budget"
compare engine "$engine" "$engine_budget"
if [ "$failed" = 1 ]; then
  echo "size: more than a lab may weigh. Find what grew, or, where it is worth it, record it: sh tools/size.sh record" >&2
  exit 1
fi
