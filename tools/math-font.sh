#!/bin/sh
# The font of the formulas: STIX Two Math, cut down to what lecture notes write. math-font.sh PYTHON OUT
# The table of mathematics stays: it says where indices stand and how signs grow.
set -eu
python=$1 out=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent @fontsource/stix-two-math@5.3.0 > /dev/null && tar xzf fontsource-stix-two-math-5.3.0.tgz)

# Letters, digits and signs; accents; Greek; arrows and operators; brackets; then, as <mi> sets them, letters
# and Greek in italic and bold, and the script and double-struck letters for losses, normals and expectations.
characters="U+0020-007E,U+00AC,U+00AF,U+00B1,U+00B2,U+00B7,U+00BD,U+00D7,U+0302-0305,U+0338\
,U+0391-03A9,U+03B1-03C9,U+03D1,U+03D5,U+03F5\
,U+2016,U+2026,U+2032,U+2033,U+203E,U+2061-2064,U+2190-2194,U+21A6,U+21D2,U+21D4\
,U+2200,U+2202,U+2203,U+2205,U+2207-2209,U+220F,U+2211,U+2212,U+2217,U+2218,U+221A,U+221D,U+221E,U+2223,U+2225\
,U+2229-222B,U+223C,U+2248,U+2260,U+2261,U+2264,U+2265,U+226A,U+226B,U+2282,U+2286,U+2295,U+2297,U+2299,U+22A4\
,U+22C5,U+22EF,U+2308-230B,U+27E8,U+27E9\
,U+2102,U+210E,U+2112,U+2113,U+211D,U+2124,U+1D400-1D467,U+1D49F,U+1D4A9,U+1D4D3,U+1D4DB,U+1D53C,U+1D6A8-1D6C0,U+1D6E2-1D714"
"$python" -m fontTools.subset "$work/package/files/stix-two-math-latin-400-normal.woff2" --unicodes="$characters" \
  --layout-features=math,ssty,ccmp,dtls,flac,kern --flavor=woff2 --no-hinting --desubroutinize --output-file="$out/stix-two-math.woff2"
cp "$work/package/LICENSE" "$out/stix-two-math-LICENSE.txt"
