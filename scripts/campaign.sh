#!/usr/bin/env bash
# usage: scripts/campaign.sh MINUTES: half of the time simulated clusters on all cores; then power cuts, and beside them,
# with what processor time these leave, twins: in half an hour on two cores that is meant for 15,000 seeds, 50,000 images
# and 100,000 scenarios. Prints the lines that docs/assurance.md quotes, and keeps them in build/campaign.txt; all that the
# three said is in build/campaign/. Fails if one of them does.
set -uo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-30}
out=build/campaign
mkdir -p "$out"
last=$(((minutes + 1) / 2)) # minutes
clusters=$((minutes > last ? minutes - last : 1))
status=0

commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
echo "campaign of $minutes minutes, $(date -u '+%Y-%m-%d %H:%M UTC'), commit $commit, $(nproc) cores, load before it $(cut -d' ' -f1 /proc/loadavg)"
build/release/sim --commit "$commit" --keep build/found --from "$(date +%s)000" --campaign "$clusters" >"$out/sim.txt" 2>&1 || status=1
nice -n 5 build/release/twins --minutes "$last" >"$out/twins.txt" 2>&1 &
twins=$!
build/release/powercut --seconds $((last * 58)) >"$out/powercut.txt" 2>&1 || status=1
build/release/powercut --lie --every 40 >>"$out/powercut.txt" 2>&1 || status=1
wait "$twins" || status=1
for part in sim twins powercut; do
    grep -E "^($part|control|faults|nodes|changes|seed .* stopped)" "$out/$part.txt" || { tail -n 5 "$out/$part.txt"; status=1; }
done >build/campaign.txt
cat build/campaign.txt
exit "$status"
