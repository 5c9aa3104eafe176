#!/bin/sh
# Keeps one booted host, and takes it down when whoever asked for it is gone.
#
#   supervise.sh NAME ROOT FOLDER
#
# Standard input is a pipe that the asker holds open: when it closes, for whatever reason, the
# host is stopped and what it left behind is removed. Every host gets a control group of its own:
# two systemds in one would take each other's processes for theirs.
set -u
name=$1 root=$2 folder=$3

hierarchies=
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    hierarchies=/sys/fs/cgroup
else
    for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        [ -e "$hierarchy/cgroup.procs" ] && hierarchies="$hierarchies $hierarchy"
    done
fi
for hierarchy in $hierarchies; do
    mkdir -p "$hierarchy/holdfast-$name"
done

(
    # The shell that becomes systemd-nspawn enters the groups; this one stays outside.
    for hierarchy in $hierarchies; do
        sh -c 'echo $PPID' >"$hierarchy/holdfast-$name/cgroup.procs"
    done
    exec setpriv --pdeathsig KILL systemd-nspawn \
        --quiet --boot --register=no --keep-unit --settings=no --link-journal=no \
        --volatile=overlay --console=pipe --resolv-conf=copy-host --timezone=off \
        --machine="$name" --hostname="$name" --directory="$root"
) </dev/null >"$folder/console" 2>&1 &
nspawn=$!
echo "$nspawn" >"$folder/nspawn.new" && mv "$folder/nspawn.new" "$folder/nspawn"

# Ends when the pipe closes: nothing is ever written to it.
cat >/dev/null

kill -TERM "$nspawn" 2>/dev/null
patience=100
while kill -0 "$nspawn" 2>/dev/null && [ "$patience" -gt 0 ]; do
    patience=$((patience - 1))
    sleep 0.1
done
kill -KILL "$nspawn" 2>/dev/null
wait "$nspawn" 2>/dev/null

for hierarchy in $hierarchies; do
    find "$hierarchy/holdfast-$name" -depth -type d -exec rmdir {} \; 2>/dev/null
done
rm -rf "$folder"
