#!/usr/bin/env bash
# The deployment that cutover is measured against, as somebody who knows SSH well writes it: one shared connection a host, everything on
# all hosts at the same time, few sessions. No lock, no journal, nothing verified, no way back.
#
# In the environment: CONFIG (client configuration), HOSTS (names in it), ROUTER (one more), TREE (what is deployed), RELEASE (its
# name), BLUE and GREEN (ports), FLAGS (directory on the router).
set -euo pipefail

on() {
    ssh -F "$CONFIG" "$@"
}

# Runs a function for each host at the same time; fails when it fails for any.
everywhere() {
    local host pid pids=()
    for host in $HOSTS; do
        "$@" "$host" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid"
    done
}

# Files that the release before has are linked to it, the others sent.
stage() {
    rsync --archive --mkpath --rsh "ssh -F $CONFIG" --link-dest ../../last "$TREE/" "$1:base/releases/$RELEASE"
}

start() {
    on "$1" "set -eu; cd base; address=\${SSH_CONNECTION% *}; address=\${address##* }
        ln -sfn releases/$RELEASE $new; ln -sfn releases/$RELEASE last
        CUTOVER_RELEASE=$RELEASE setsid $new/bin/shop --listen \$address --port $port </dev/null >$new.log 2>&1 &
        echo \$! >$new.pid
        in_a_row=0
        for attempt in \$(seq 150); do
            if curl -fs -m 5 -o /dev/null http://\$address:$port/up; then in_a_row=\$((in_a_row + 1)); else in_a_row=0; fi
            if [ \$in_a_row -eq 2 ]; then exit 0; fi
            sleep 0.1
        done
        exit 1"
}

stop() {
    on "$1" "set -eu; cd base
        if [ -f $old.pid ]; then
            process=\$(cat $old.pid); kill \$process; while kill -0 \$process 2>/dev/null; do sleep 0.02; done; rm $old.pid
        fi
        cd releases; ls | head -n -5 | xargs rm -rf"
}

hang_up() {
    on -O exit "$1" 2>/dev/null
}

# What is live can be asked while the release is staged.
colour=$(mktemp)
trap 'rm "$colour"' EXIT
on "$ROUTER" "if [ -e $FLAGS/green ]; then echo green blue $BLUE; else echo blue green $GREEN; fi" >"$colour" &
asked=$!
everywhere stage
wait "$asked"
read -r old new port <"$colour"

everywhere start
if [ "$new" = green ]; then on "$ROUTER" "touch $FLAGS/green"; else on "$ROUTER" "rm $FLAGS/green"; fi
everywhere stop
HOSTS="$HOSTS $ROUTER" everywhere hang_up
