#!/usr/bin/env bash
# Measures this machine: four nodes on loopback, wallets opened, lone records, single transfers, batches, then an
# audit of the ledger that came out. Prints each figure beside its first mark. Nothing is asserted: exit 0 as soon as
# everything ran. All ends within about six minutes; a phase that is slower is cut and says so.
#   WALLETS=100000 OPEN_SECONDS=75   wallets to open, and for how long at most
#   TRANSFERS=30000 BATCHES=200 PHASE_SECONDS=45   the load of the two throughput phases, and for how long at most
#   KEYS=8                           operator keys that sign
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/net.sh
root=$(mktemp -d "${TMPDIR:-/tmp}/hubledger-bench.XXXXXX")
net=$root/net
finish() {
    local code=$?
    net_cleanup
    rm -rf "$root"
    [ $code = 0 ] || echo "bench: FAILED"
}
trap finish EXIT
quietly() { timeout 60 "$BIN/hubledger" "$@" >"$root/out" 2>&1 || { cat "$root/out" >&2; exit 1; }; }

echo "hardware"
sed -n 's/^model name[[:space:]]*: /  processor  /p' /proc/cpuinfo | uniq -c
sed -n 's/^MemTotal: */  memory     /p' /proc/meminfo
echo "  disk       $(df -PT "$root" | awk 'NR == 2 { print $1, $2 }')"
echo "  load       $(cut -d' ' -f1-3 /proc/loadavg) (before; others' work lowers every figure)"

echo "network"
net_make 4 "$net" --parameter consensus.pace_ms=0
net_start
net_ready
bank=$net/BANK
quietly currency issue 3 50000000.00 --key "$net/AUTHORITY/issuer-1.key" --wait
keys="$bank/operator.key $bank/operator-2.key"
for i in $(seq 3 "${KEYS:-8}"); do
    quietly key new -o "$bank/operator-$i.key" --label "operator $i" --unprotected
    quietly key add "$bank/operator-$i.key" --role operator --key "$bank/governor-1.key" --wait
    keys="$keys $bank/operator-$i.key"
done
nodes=$(for m in "${MEMBERS[@]}"; do net_api "$m"; done)
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; } # of the processor, user and system
for m in "${MEMBERS[@]}"; do
    rss=$(awk '/^RssAnon/ { print $2 }' "/proc/${NET_PID[$m]}/status")
    echo "  $m  RssAnon $((rss / 1024)) MiB at the start"
done
BENCH_PIDS="${NET_PID[*]}" BENCH_NODES=$nodes BENCH_KEYS=$keys BENCH_RESULTS=$root/results "$BIN/bench" network || {
    for m in "${MEMBERS[@]}"; do tail -n 2 "$net/$m/node.log" >&2; done
    exit 1
}
rss_max=0
for m in "${MEMBERS[@]}"; do
    rss=$(awk '/^RssAnon/ { print $2 }' "/proc/${NET_PID[$m]}/status")
    peak=$(awk '/^VmHWM/ { print $2 }' "/proc/${NET_PID[$m]}/status")
    [ "$rss" -le "$rss_max" ] || rss_max=$rss
    echo "  $m  RssAnon $((rss / 1024)) MiB, resident at most $((peak / 1024)) MiB with mapped files," \
        "processor $(ticks "${NET_PID[$m]}") ticks of $(getconf CLK_TCK) a second"
done
net_same_root "${MEMBERS[@]}" >"$root/tip"
echo "  four equal roots at height $(cut -d' ' -f1 "$root/tip")"
net_stop

echo "audit"
python3 - "$root" "$rss_max" "$BIN/hubledger-verify" "$HUBLEDGER_GENESIS" "$net/${MEMBERS[0]}/data" <<'PY'
import json, resource, subprocess, sys, time
root, rss_kib, verifier, genesis, data = sys.argv[1], float(sys.argv[2]), *sys.argv[3:]
began = time.monotonic()
audit = subprocess.run([verifier, "--stopped", "--genesis", genesis, "--report", "json", "--lang", "en", data],
                       stdout=subprocess.PIPE, check=True).stdout
seconds = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
r = {}
for line in open(root + "/results"):
    name, value = line.strip().split("=")
    r[name] = float(value)
counts = {k: int(v) for k, v in json.loads(audit)["counts"].items()}
checks, seen = r["checks_alone_per_s"], r["checks_per_s"]
verify = counts["records"] / seconds
print(f"  {counts['records']} records, {counts['signatures']} signatures, {counts['entries']} batch entries in "
      f"{counts['blocks']} blocks verified in {seconds:.1f} s; recorded without effect: {counts['failed']}")
print(f"\nload mix   {r['wallets']:.0f} wallets of one institution; payer and payee of every transfer and batch entry\n"
      f"           uniformly among them; {r['singles_count']:.0f} single transfers, {r['entries_count']:.0f} entries in "
      f"batches of 1,500;\n           {r['lone_count']:.0f} lone transfers; consensus.pace_ms = 0, as no trial network has")
print(f"checks     {checks:.0f} Ed25519 checks a second on all cores, from the processor time a check takes; a quarter "
      f"is the\n           limit: four nodes each check every signature. By the clock, beside whatever else ran, {seen:.0f}.\n")
def row(what, figure, mark, met):
    print(f"  {what:<52} {figure:<28} {mark:<22} {'met' if met else 'NOT met'}")
def plain(what, figure):
    print(f"  {what:<52} {figure}")
print(f"  {'what':<52} {'measured':<28} {'first mark':<22}")
plain("limit: signature checks a second / 4", f"{checks / 4:.0f} (by the clock {seen / 4:.0f})")
row("lone record until final, p50", f"{r['lone_p50_ms']:.2f} ms", "under 15 ms", r["lone_p50_ms"] < 15)
plain("lone record until final, p99", f"{r['lone_p99_ms']:.2f} ms")
plain("the bare messages, p50 and p99", f"{r['bare_p50_ms']:.2f} ms, {r['bare_p99_ms']:.2f} ms")
plain("ratio of the two, p50 and p99", f"{r['lone_p50_ms'] / r['bare_p50_ms']:.1f}, {r['lone_p99_ms'] / r['bare_p99_ms']:.1f}")
single = r["singles_per_s"] / (checks / 4)
row("single transfers a second until final", f"{r['singles_per_s']:.0f} = {single:.2f} of checks/4", "0.6", single >= 0.6)
row("batch entries a second until final", f"{r['entries_per_s']:.0f} = {r['entries_per_s'] / (checks / 4):.2f} of checks/4",
    "30,000 a second", r["entries_per_s"] >= 30000)
plain("  singles against checks/4 by the clock", f"{r['singles_per_s'] / (seen / 4):.2f}")
check = r["check_processor_s"]
plain("  checks' share of the nodes' processor time", f"{4 * r['singles_count'] * check / r['singles_processor_s']:.2f} (1 = nothing else is done)")
plain("wallets opened a second until final", f"{r['openings_per_s']:.0f}")
row("records verified a second (hubledger-verify)", f"{verify:.0f} = {verify / (checks / 4):.2f} of checks/4",
    "0.8", verify / (checks / 4) >= 0.8)
plain("  the same against all checks of all cores", f"{verify / checks:.2f}")
plain("  checks' share of its processor time", f"{counts['signatures'] * check / (used.ru_utime + used.ru_stime):.2f}")
row("a node's memory (RssAnon, the largest)", f"{rss_kib / 1024:.0f} MiB", "under 300 MiB", rss_kib / 1024 < 300)
for name, what in ("lone", "lone records"), ("singles", "single transfers"), ("entries", "batches"):
    plain(f"share of time in commits (pages, sync), {what}", f"{r[name + '_commit_share']:.0%}, {r[name + '_commit_ms']:.2f} ms each")
PY
echo "  load       $(cut -d' ' -f1-3 /proc/loadavg) (after)"
echo "bench: done in $SECONDS s"
