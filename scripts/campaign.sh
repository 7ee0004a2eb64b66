#!/usr/bin/env bash
# usage: scripts/campaign.sh MINUTES: half the time simulated clusters on all cores; in the other half twins and
# power cuts beside each other. Prints the lines that docs/assurance.md quotes, and keeps them in
# build/campaign.txt with everything else the three said. Fails if one of them does.
set -uo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-30}
out=build/campaign
mkdir -p "$out"
half=$(((minutes + 1) / 2)) # minutes
status=0

commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
echo "campaign of $minutes minutes, $(date -u '+%Y-%m-%d %H:%M UTC'), commit $commit, $(nproc) cores, load before it $(cut -d' ' -f1 /proc/loadavg)"
build/release/sim --commit "$commit" --keep build/found --from "$(date +%s)000" --campaign "$half" >"$out/sim.txt" 2>&1 || status=1
build/release/twins --minutes "$half" >"$out/twins.txt" 2>&1 &
twins=$!
build/release/powercut --seconds $((half * 60)) >"$out/powercut.txt" 2>&1 || status=1
build/release/powercut --lie --every 40 >>"$out/powercut.txt" 2>&1 || status=1
wait "$twins" || status=1
for part in sim twins powercut; do
    grep -E "^($part|control|faults|nodes)" "$out/$part.txt" || { tail -n 5 "$out/$part.txt"; status=1; }
done | tee build/campaign.txt
exit "$status"
