#!/usr/bin/env bash
# Installs the Debian packages that the tests talk to: encoders, players, a peer server, browsers, fonts.
# Quick when nothing is missing. Exit 0: all present. Exit 3: some are missing and could not be installed.
set -euo pipefail

# An FFmpeg that knows Enhanced RTMP, which Debian's does not. It is GPL and large: for tests only, and apart
# from what `npm ci` installs. Its install scripts would download; they are left out.
node_av=$(dirname "${BASH_SOURCE[0]}")/../test/.cache/node-av
if [[ ! -f $node_av/node_modules/node-av/package.json ]]; then
  mkdir -p "$node_av"
  npm install --prefix "$node_av" --ignore-scripts --no-save --no-audit --no-fund --loglevel=error node-av@6.1.1 || {
    echo "Missing npm package that the tests need: node-av 6.1.1 in $node_av" >&2
    exit 3
  }
fi

packages=(
  ffmpeg
  chromium
  firefox-esr
  webkit2gtk-driver
  xvfb
  nginx
  coturn
  libnginx-mod-rtmp
  rtmpdump
  gstreamer1.0-tools
  gstreamer1.0-plugins-base
  gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-ugly
  gstreamer1.0-libav
  mpv
  fonts-dejavu-core
  fonts-noto-cjk
)

# Tests of these are left out where they are not there: 17 MB beside the others, 61 MB on the disk.
optional=(
  obs-studio
)

# Prints those of the named packages that are not installed.
absent() {
  local installed name
  installed=" $(dpkg-query -W -f='${binary:Package} ${db:Status-Status}\n' 2>/dev/null |
    awk '$2 == "installed" { sub(/:.*/, "", $1); printf "%s ", $1 }')"
  for name in "$@"; do
    [[ "$installed" == *" $name "* ]] || printf '%s\n' "$name"
  done
}

if ! command -v dpkg-query >/dev/null; then
  # Not a Debian: the programs themselves must be there.
  missing=()
  for program in ffmpeg ffprobe chromium firefox-esr WebKitWebDriver Xvfb nginx turnserver rtmpdump gst-launch-1.0 mpv; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  if ((${#missing[@]} == 0)); then exit 0; fi
  echo "Missing programs that the tests need: ${missing[*]}" >&2
  echo "Install them with the package manager of this system." >&2
  exit 3
fi

mapfile -t missing < <(absent "${packages[@]}")
mapfile -t wanted < <(absent "${optional[@]}")
if ((${#missing[@]} + ${#wanted[@]} == 0)); then exit 0; fi
# Nobody is asked for what can be done without.
if ((${#missing[@]} == 0)) && { ((EUID != 0)) || ! command -v apt-get >/dev/null; }; then exit 0; fi

if ((EUID != 0)); then
  echo "Missing Debian packages that the tests need: ${missing[*]}" >&2
  echo "Install them with: sudo apt-get install ${missing[*]}" >&2
  exit 3
fi
if ! command -v apt-get >/dev/null; then
  echo "Missing Debian packages that the tests need: ${missing[*]} (no apt-get here)" >&2
  exit 3
fi

echo "Installing:" "${missing[@]}" "${wanted[@]}"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" </dev/null; }
if ! { apt-get update -q && { install "${missing[@]}" "${wanted[@]}" || install "${missing[@]}"; }; } >/tmp/onair-apt.$$ 2>&1; then
  tail -n 20 "/tmp/onair-apt.$$" >&2
fi
rm -f "/tmp/onair-apt.$$"

mapfile -t missing < <(absent "${packages[@]}")
if ((${#missing[@]} == 0)); then exit 0; fi
echo "Missing Debian packages that could not be installed: ${missing[*]}" >&2
exit 3
