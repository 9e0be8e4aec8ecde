# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For the tests here: a PulseAudio of our own with a null sink, in a folder of its own, and a recorder
# of the sink's monitor. To be sourced; leaves the shell in that folder.

for program in pulseaudio parec pactl; do
    command -v $program >/dev/null || {
        echo "no $program: apt install pulseaudio pulseaudio-utils"
        exit 77
    }
done
pattern=$BUILD/tests/tools/pattern

work=$(mktemp -d)
cd "$work"
export HOME=$work XDG_RUNTIME_DIR=$work PULSE_RUNTIME_PATH=$work/run
export PULSE_SERVER=unix:$work/socket
unset PULSE_SINK PULSE_LATENCY_MSEC
server='' recorder='' player='' # children, for end_of

# The children we started, and no others.
end_of()
{
    [ -z "$1" ] || { kill -"${2-TERM}" "$1" && wait "$1"; } 2>/dev/null || true
}
trap 'end_of "$player"; end_of "$recorder"; end_of "$server" KILL; rm -rf "$work"' EXIT

now()
{
    date +%s%N
}

# Returns when the server answers.
start_server()
{
    # norewinds: the null sink otherwise takes back what its monitor has already handed out.
    pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --disallow-exit \
        --log-target=file:"$work/pulseaudio.log" \
        -L "module-null-sink sink_name=out rate=44100 format=s16le channels=2 norewinds=1" \
        -L "module-native-protocol-unix socket=$work/socket auth-anonymous=1" \
        >/dev/null 2>&1 &
    server=$!
    for _ in $(seq 200); do
        if pactl info >/dev/null 2>&1; then
            return
        fi
        sleep 0.05
    done
    echo "# pulseaudio does not start:"
    sed 's/^/# /' pulseaudio.log
    exit 1
}

kill_server()
{
    end_of "$server" KILL
    server=
    rm -f socket
}

start_recorder()
{
    parec -d out.monitor --latency-msec=10 --raw --rate=44100 --format=s16le --channels=2 \
        >"$1" 2>/dev/null &
    recorder=$!
}

stop_recorder()
{
    end_of "$recorder"
    recorder=
}

# The recorder has begun: it has written something.
wait_for_recorder()
{
    for _ in $(seq 200); do
        [ ! -s "$1" ] || return 0
        sleep 0.05
    done
    echo "# parec does not record"
    exit 1
}

# The value of a key in the last line "key=value ..." of a file.
value()
{
    sed -n "s/.*\\b$1=\\([0-9]*\\).*/\\1/p" "$2" | tail -n 1
}

# Each frame of the pattern, once and in order.
whole()
{
    local key
    for key in missing repeated misplaced differing; do
        [ "$(value $key "$1")" = 0 ] || return 1
    done
}

tests=0 failed=0

# judge EVIDENCE NAME CONDITION...: each condition is a command that must succeed; the files named in
# EVIDENCE are shown.
judge()
{
    local evidence=$1 name=$2 ok=ok condition
    shift 2
    for condition; do
        if ! eval "$condition"; then
            ok='not ok'
            echo "# does not hold: $condition"
        fi
    done
    tests=$((tests + 1))
    if [ "$ok" != ok ]; then
        failed=$((failed + 1))
    fi
    # shellcheck disable=SC2086  # they are several
    cat $evidence | sed 's/^/# /'
    echo "$ok $tests - $name"
}
