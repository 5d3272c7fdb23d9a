#!/bin/sh
# Sets up what is missing: setup.sh [wasm] [deny] [vulkan] [browser] [node] [python] [torch]
# Says what it does; ends with a sentence that says what to do when it cannot.
set -eu

cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
tools=$cache/tools
root=$(cd "$(dirname "$0")/.." && pwd)
PATH=$tools/bin:$cache/node/bin:$HOME/.cargo/bin:$PATH
export PATH
mkdir -p "$tools"

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }
have() { command -v "$1" > /dev/null 2>&1; }

# Debian packages, as root or by sudo.
apt_install() {
  have apt-get || die "$* are missing and this is not Debian: install them and run this again."
  if [ "$(id -u)" = 0 ]; then as_root=; elif have sudo; then as_root=sudo; else
    die "$* are missing: install them as root (apt-get install $*) and run this again."
  fi
  say "installing $*"
  $as_root apt-get update -q > "$cache/apt.log" 2>&1 || true
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >> "$cache/apt.log" 2>&1 \
    || { tail -5 "$cache/apt.log" >&2; die "apt-get could not install $*: see $cache/apt.log."; }
}

# cargo_tool NAME VERSION [FLAGS]: a tool from the crate registry, in a profile that builds fast.
cargo_tool() {
  name=$1 version=$2
  shift 2
  # The list of what was installed is the truth: --version of a subcommand may need arguments.
  if grep -qs "\"$name $version " "$tools/.crates.toml"; then return; fi
  say "building $name $version (a few minutes, once)"
  CARGO_TARGET_DIR=$cache/tools-target CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_STRIP=debuginfo \
    cargo install --quiet --profile dev --root "$tools" "$name" --version "$version" "$@" \
    || die "cargo could not install $name $version: check that the crate registry can be reached."
}

# --- the wasm target -------------------------------------------------------------------------
libdir() { rustc --print target-libdir --target wasm32-unknown-unknown 2> /dev/null; }
has_target() { ls "$(libdir)"/libstd-*.rlib > /dev/null 2>&1; }

# build_std LIBDIR: std for wasm from the sources in the sysroot, about 40 s.
build_std() {
  into=$1
  work=$(mktemp -d)
  mkdir -p "$work/src"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' > "$work/Cargo.toml"
  : > "$work/src/lib.rs"
  # Bitcode is needed by link-time optimisation.
  (cd "$work" && unset CARGO_TARGET_DIR && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes cargo build --quiet --release \
    -Zbuild-std=std,panic_abort,test --target wasm32-unknown-unknown) || return 1
  mkdir -p "$into"
  for rlib in "$work"/target/wasm32-unknown-unknown/release/deps/*.rlib; do
    case $rlib in */libempty-*) ;; *) cp "$rlib" "$into/" ;; esac
  done
  rm -rf "$work"
  # What was built against another std is of no use any more.
  rm -rf "${CARGO_TARGET_DIR:-$cache/target}/wasm32-unknown-unknown"
}

# Second way: the library sources of exactly this compiler, from a package of any Debian suite.
# The suites are read through lists of our own: the machine's package sources stay as they are.
target_from_rust_src() {
  have apt-get || return 1
  release=$(rustc --version | cut -d' ' -f2)
  apt_dir=$cache/apt
  mkdir -p "$apt_dir/lists/partial"
  apt-get update -q > "$cache/apt.log" 2>&1 || true
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian //p' | grep -v security | head -1)
  [ -n "$mirror" ] || return 1
  for suite in stable stable-backports testing unstable; do echo "deb $mirror $suite main"; done > "$apt_dir/sources.list"
  private="-o Dir::Etc::sourcelist=$apt_dir/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$apt_dir/lists"
  # shellcheck disable=SC2086
  apt-get $private -q update >> "$cache/apt.log" 2>&1 || true
  # shellcheck disable=SC2086
  version=$(apt-cache $private madison rust-src 2> /dev/null | awk '{print $3}' | grep "^$release" | head -1)
  [ -n "$version" ] || return 1
  say "building the wasm target from Debian's rust-src $version"
  unpacked=$(mktemp -d)
  chmod 755 "$unpacked"
  # shellcheck disable=SC2086
  (cd "$unpacked" && apt-get $private download -q "rust-src=$version" >> "$cache/apt.log" 2>&1 && dpkg-deb -x rust-src_*.deb .) || return 1
  sources=$unpacked/usr/src/rustc-$release/library
  [ -f "$sources/Cargo.lock" ] || return 1
  into=$(rustc --print sysroot)/lib/rustlib/src/rust
  rm -rf "$into/library" && mkdir -p "$into" && cp -rL "$sources" "$into/" && rm -rf "$unpacked" "$apt_dir" && build_std "$(libdir)" && has_target
}

# Third way: Debian's whole toolchain for building browsers, put before the machine's own.
toolchain_from_debian() {
  have apt-get || return 1
  apt-get update -q > "$cache/apt.log" 2>&1 || true
  web=$(apt-cache policy rustc-web 2> /dev/null | sed -n 's/.*Candidate: \([0-9.]*\).*/\1/p')
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
  [ -n "$web" ] && [ "$(printf '%s\n%s\n' "$wanted" "$web" | sort -V | head -1)" = "$wanted" ] || return 1
  linker=$(apt-cache search -n '^lld-[0-9]*$' | awk '{print $1}' | sort -V | tail -1)
  say "taking Debian's Rust $web instead of $(rustc --version | cut -d' ' -f2)"
  apt_install rustc-web cargo-web rust-web-src rust-web-clippy "$linker"
  mkdir -p "$tools/bin"
  for tool in rustc cargo clippy-driver cargo-clippy; do
    [ -x "/usr/bin/$tool" ] || return 1
    printf '#!/bin/sh\nexport PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=%s\nexec /usr/bin/%s "$@"\n' \
      "wasm-ld-${linker#lld-}" "$tool" > "$tools/bin/$tool"
    chmod +x "$tools/bin/$tool"
  done
  has_target || { build_std "$(libdir)" && has_target; }
}

wasm_target() {
  has_target && return
  if have rustup; then
    say "adding the wasm target with rustup"
    timeout 300 rustup target add wasm32-unknown-unknown && has_target && return
    say "rustup could not add it; trying Debian's sources of this compiler"
  fi
  target_from_rust_src && return
  toolchain_from_debian && return
  die "the wasm target is missing: run 'rustup target add wasm32-unknown-unknown' on a machine that reaches rustup's server, or install the rust-src of exactly this compiler ($(rustc --version))."
}

# --- the rest --------------------------------------------------------------------------------
node_20() {
  if have node && [ "$(node --version | sed 's/v\([0-9]*\).*/\1/')" -ge 20 ] && have npm; then return; fi
  have npm || apt_install nodejs npm
  if [ "$(node --version | sed 's/v\([0-9]*\).*/\1/')" -lt 20 ]; then
    say "installing node 22 from npm"
    npm install --silent --no-audit --no-fund --prefix "$cache/node-npm" node@22 > /dev/null \
      || die "npm could not install node@22: install Node.js 20 or newer and run this again."
    mkdir -p "$cache/node/bin"
    ln -sf "$cache/node-npm/node_modules/.bin/node" "$cache/node/bin/node"
  fi
}

have cargo || die "Rust is missing: install it with rustup and run this again."
have cc || die "a C compiler is missing: install gcc or clang and run this again."
for part in "$@"; do
  case $part in
    wasm)
      wasm_target
      version=$(sed -n 's/^wasm_bindgen = "\(.*\)"/\1/p' "$root/Trunk.toml")
      # Its lock file names a crate that was withdrawn: not --locked.
      cargo_tool wasm-bindgen-cli "$version" --no-default-features
      cargo_tool trunk 0.21.14 --locked --no-default-features
      # Trunk runs cargo offline.
      (cd "$root" && cargo fetch --locked --quiet) || die "the crates could not be fetched: check that the crate registry can be reached."
      ;;
    deny) cargo_tool cargo-deny 0.20.2 --locked ;;
    node) node_20 ;;
    vulkan)
      # Any driver does, a card's own too; the software one computes on the processor.
      if [ "$(uname)" = Linux ] && [ -z "$(find /usr/share/vulkan/icd.d /etc/vulkan/icd.d -name '*.json' 2> /dev/null)" ]; then
        say "installing a software Vulkan driver, for the tests of the shaders"
        apt_install libvulkan1 mesa-vulkan-drivers
      fi
      ;;
    browser)
      node_20
      have chromium && have chromedriver || apt_install chromium chromium-driver
      have firefox-esr || apt_install firefox-esr
      ;;
    python)
      python3 -c "import venv, ensurepip" 2>/dev/null || apt_install python3 python3-venv
      if ! cmp -s "$root/tools/requirements.txt" "$cache/venv/requirements.txt"; then
        say "installing the Python packages of tools/requirements.txt"
        python3 -m venv --clear "$cache/venv" || die "python3 has no venv: apt-get install python3-venv and run this again."
        "$cache/venv/bin/pip" install --quiet -r "$root/tools/requirements.txt" \
          || die "pip could not install tools/requirements.txt: check the Python package registry can be reached."
        cp "$root/tools/requirements.txt" "$cache/venv/requirements.txt"
      fi
      ;;
    torch)
      [ -x "$cache/venv/bin/pip" ] || die "torch needs python: run setup.sh python torch."
      if ! cmp -s "$root/tools/requirements-torch.txt" "$cache/venv/requirements-torch.txt"; then
        say "installing PyTorch (several gigabytes)"
        "$cache/venv/bin/pip" install --quiet -r "$root/tools/requirements-torch.txt" \
          || die "pip could not install tools/requirements-torch.txt: check the Python package registry can be reached."
        cp "$root/tools/requirements-torch.txt" "$cache/venv/requirements-torch.txt"
      fi
      ;;
    *) die "setup.sh knows wasm, deny, vulkan, browser, node, python and torch, not $part." ;;
  esac
done
