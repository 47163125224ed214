#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian (or Ubuntu) packages that building and testing need, and those named as
# arguments. Does nothing when they are there; needs no more than a shell and dpkg.
# shellcheck disable=SC2086 # package lists are meant to be split
set -eu

packages="gcc g++ libc6-dev make pkg-config
libcurl4-openssl-dev libcjson-dev libyaml-dev libuv1-dev libmicrohttpd-dev libssl-dev uthash-dev
libcmocka-dev $*"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: not a Debian system; please install the counterparts of:" $packages >&2
	command -v pkg-config >/dev/null || exit 1
	for lib in libcurl libcjson yaml-0.1 libuv libmicrohttpd libcrypto cmocka; do
		pkg-config --exists $lib || { echo "deps: $lib is missing" >&2; exit 1; }
	done
	echo "deps: their libraries are all here" >&2
	exit 0
fi

# Some are provided by another package (pkg-config by pkgconf), so names are looked up in both.
installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}, ${Provides}\n' |
	sed -n 's/^ii *//p' | tr ',' '\n' | sed 's/^ *//; s/[ (].*//')
missing=
for p in $packages; do
	echo "$installed" | grep -qxF "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	sudo=sudo
	command -v sudo >/dev/null || { echo "deps: run as root: apt-get install$missing" >&2; exit 1; }
fi

echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
get() { $sudo apt-get -qq install -y --no-install-recommends $missing >/dev/null; }

# A machine without package lists, or with lists that name versions no longer there, gets new ones.
if ! apt-cache show $missing >/dev/null 2>&1 || ! get; then
	$sudo apt-get -qq update
	get
fi
