#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lab's firmware is what libxl's loader takes in hvmloader's place: ELF for 32 bits without Xen's
# notes, to be loaded above the first megabyte and within a small guest's memory.

set -eu
cd "${SRC-.}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo 'int one(void); int one(void) { return 1; }' >"$dir/one.c"
if ! "${CC:-cc}" -m32 -ffreestanding -c -o "$dir/one.o" "$dir/one.c" 2>"$dir/why"; then
    echo "the compiler makes no code for 32-bit x86: $(head -n 1 "$dir/why")"
    exit 77
fi

failed=0
expect() { # NAME COMMAND...
    name=$1
    shift
    if "$@"; then
        echo "ok - $name"
    else
        echo "not ok - $name"
        failed=1
    fi
}
tests/xen/firmware/build "$dir/firmware" 2>"$dir/warnings" || true
expect "it compiles" [ -s "$dir/firmware" ]
expect "without a warning" [ ! -s "$dir/warnings" ]
cat "$dir/warnings"
readelf -hW "$dir/firmware" >"$dir/header"
readelf -lW "$dir/firmware" >"$dir/segments"
expect "ELF for 32 bits" grep -q 'Class: *ELF32' "$dir/header"
expect "linked to where it is" grep -q 'Type: *EXEC' "$dir/header"
expect "begins at 1 MiB" grep -q 'Entry point address: *0x100000$' "$dir/header"
expect "nothing but what is to be loaded" [ -z "$(grep -E '^ +(NOTE|INTERP|DYNAMIC)' "$dir/segments")" ]
end=0
while read -r type _ _ address _ size _; do
    [ "$type" != LOAD ] || [ $((address + size)) -le "$end" ] || end=$((address + size))
done <"$dir/segments"
expect "below 2 MiB" [ "$end" -gt $((0x100000)) -a "$end" -le $((0x200000)) ]
exit $failed
