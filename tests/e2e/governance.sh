#!/usr/bin/env bash
# Four real nodes whose members decide: nodes report ready by themselves, a parameter is changed, a member is admitted
# with its keys and signs, one is suspended and restored, a governor on its way in is stopped, and a validator key is
# replaced, after which the set that votes is another one.
set -uo pipefail
cd "$(dirname "$0")/../.."
BIN=$PWD/build/release
. scripts/net.sh
dir=$(mktemp -d)
trap 'net_cleanup; rm -rf "$dir"' EXIT

fail() {
    echo "governance.sh: $*" >&2
    [ ! -f "$dir/out" ] || sed 's/^/  | /' "$dir/out" >&2
    exit 1
}
# expect EXIT TEXT COMMAND...: runs hubledger; its exit code and a text it must say.
expect() {
    local want=$1 text=$2
    shift 2
    "$BIN/hubledger" "$@" --lang en >"$dir/out" 2>&1 </dev/null
    local got=$?
    [ "$got" = "$want" ] || fail "exit $got, not $want: hubledger $*"
    grep -qF -- "$text" "$dir/out" || fail "does not say '$text': hubledger $*"
}
gov() { echo "$dir/net/$1/governor-1.key"; }
vote() { expect 0 "final" governance "$1" "$2" --key "$(gov "$3")" --yes --wait; }
propose() { # BY ACTION...: a proposal, its number in $id
    local by=$1
    shift
    expect 0 "final" governance propose "$@" --title-zh 提案 --within 2d --key "$(gov "$by")" --wait
    id=$(sed -n 's/^proposal //p' "$dir/out")
}
field() { curl -s --max-time 5 "$HUBLEDGER_NODE$1" | python3 -c "import json,sys; d=json.load(sys.stdin); print($2)"; }

net_make 4 "$dir/net" || fail "no network"
net_start && net_ready || fail "the nodes do not start"
cd "$dir" || exit 1

# Every node says by itself that it runs.
for i in $(seq 150); do
    ready=$(field "/v1/records?type=validator.ready" "len(d['items'])" 2>/dev/null || echo 0)
    [ "$ready" = 4 ] && break
    sleep 0.1
done
[ "$ready" = 4 ] || fail "$ready of 4 nodes reported ready in 15 s"

# A parameter: the arithmetic is told, a rejection may become an approval, and once is enough.
expect 2 "title" governance propose parameter ready.max_age_h 48 --key "$(gov XIANGCHENG)"
expect 2 "form this action needs" governance propose parameter ready.max_age_h --title-zh x --key "$(gov XIANGCHENG)"
expect 4 "parameter_unknown" governance propose parameter no.such 1 --title-zh x --within 2d --key "$(gov XIANGCHENG)" --wait
propose XIANGCHENG parameter ready.max_age_h 48
vote approve "${id:0:8}" XIANGCHENG
expect 0 "3 of 4 needed, 1 so far" governance show "$id"
grep -q "no vote yet: CHANGNING, JIADING, HUBOFFICE" out || fail "does not say who is missing"
vote reject "$id" CHANGNING
vote approve "$id" CHANGNING
expect 4 "already_voted" governance approve "$id" --key "$(gov CHANGNING)" --yes --wait
expect 0 "(open" governance list --open
vote approve "$id" JIADING
expect 0 "enacted" governance show "$id"
expect 4 "proposal_closed" governance approve "$id" --key "$(gov HUBOFFICE)" --yes --wait
[ "$(field /v1/parameters "[p['value'] for p in d['items'] if p['name'] == 'ready.max_age_h'][0]")" = 48 ] || fail "the parameter is as before"
expect 0 "no proposals" governance list --open

# A district joins: its card, its keys behind the proposal; then it votes, with two of its governors, as it needs.
for k in g1 g2 seal; do "$BIN/hubledger" key new --unprotected --label "$k" -o "$k.key" >/dev/null || fail "no key"; done
"$BIN/hubledger" member card --code QINGPU --names-zh 青浦区 --names-en Qingpu --grant governor=g1.key --grant governor=g2.key \
    --grant seal=seal.key --governors-needed 2 -o qingpu.card >out 2>&1 || fail "no card"
expect 4 "cosign_missing" governance propose admit qingpu.card --title-zh x --within 2d --cosign-by g1.key --key "$(gov XIANGCHENG)" --wait
# .. which sign at their own desk: the draft goes round, and its maker signs last.
expect 0 "a draft" governance propose admit qingpu.card --title-zh 接纳青浦区 --within 2d --key "$(gov XIANGCHENG)" --draft -o admit.draft
id=$(sed -n 's/^proposal //p' out)
expect 4 "signature_invalid" record submit admit.draft --wait
expect 2 "signs last" record cosign admit.draft --key "$(gov XIANGCHENG)" --yes
expect 2 "nothing was signed" record cosign admit.draft --key g1.key
for k in g1 g2 seal; do expect 0 "co-signatures" record cosign admit.draft --key "$k.key" --yes; done
expect 2 "another key made the draft" record sign admit.draft --key "$(gov CHANGNING)" --yes --wait
expect 0 "final" record sign admit.draft --key "$(gov XIANGCHENG)" --yes --wait
for m in XIANGCHENG CHANGNING JIADING; do vote approve "$id" "$m"; done
[ "$(field /v1/members "[m['names']['zh'] for m in d['items'] if m['code'] == 'QINGPU'][0]")" = 青浦区 ] || fail "Qingpu is no member"
propose XIANGCHENG suspend JIADING 节点长期离线
expect 4 "cosign_missing" governance approve "$id" --key g1.key --yes --wait
expect 0 "final" governance approve "$id" --key g1.key --cosign-by g2.key --yes --wait
expect 4 "concerned_cannot_vote" governance approve "$id" --key "$(gov JIADING)" --yes --wait
vote approve "$id" XIANGCHENG
vote approve "$id" CHANGNING
expect 0 "enacted" governance show "$id"
expect 4 "member_suspended" governance propose restore JIADING --title-zh x --within 2d --key "$(gov JIADING)" --wait
propose CHANGNING restore JIADING
for m in XIANGCHENG CHANGNING HUBOFFICE; do vote approve "$id" "$m"; done
[ "$(field /v1/members "[[m['seal_needs'], m['governors_needed']] for m in d['items'] if m['code'] == 'QINGPU'][0]")" = "[0, 2]" ] || fail "what Qingpu needs"
[ "$(field /v1/members "[m['suspended'] for m in d['items'] if m['code'] == 'JIADING'][0]")" = False ] || fail "JIADING is not restored"

# A set with a node that never reported: who votes is told what will come of it.
"$BIN/hubledger" key new --unprotected --role validator -o late.key >/dev/null
expect 0 "final" key add late.key --role validator --key "$(gov CHANGNING)" --wait
propose XIANGCHENG validators 3 bft late.key "$dir"/net/{XIANGCHENG,JIADING,HUBOFFICE}/node.key
expect 0 "reported ready: 3 of 3 needed" governance show "$id"
propose XIANGCHENG validators 4 bft late.key "$dir"/net/{XIANGCHENG,JIADING,HUBOFFICE}/node.key
expect 0 "it would fail with ready_missing" governance show "$id"
for m in XIANGCHENG CHANGNING JIADING HUBOFFICE; do vote approve "$id" "$m"; done
expect 0 "ready_missing" governance show "$id"

# A governor that somebody sneaks in is stopped by the other one.
"$BIN/hubledger" key new --unprotected -o g3.key >/dev/null
expect 0 "final" key add g3.key --role governor --key "$(gov XIANGCHENG)" --wait
kid=$("$BIN/hubledger" key show g3.key --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["kid"])')
expect 0 "final" key cancel "$kid" --key "$dir/net/XIANGCHENG/governor-2.key" --wait
expect 4 "key_not_pending" key cancel "$kid" --key "$dir/net/XIANGCHENG/governor-2.key" --wait

# A new key in the place of a validator's: the next set votes. The old node is stopped: it is the broken one.
"$BIN/hubledger" key new --unprotected --role validator -o node2.key >/dev/null
old=$("$BIN/hubledger" key show "$dir/net/JIADING/node.key" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["kid"])')
expect 4 "key_not_own" key replace "$old" node2.key --reason lost --key "$(gov CHANGNING)" --wait
net_stop JIADING
expect 0 "final" key replace "$old" node2.key --reason lost --key "$(gov JIADING)" --wait=60s
for i in $(seq 300); do
    [ "$(net_field XIANGCHENG epoch)" = 1 ] && break
    sleep 0.1
done
[ "$(net_field XIANGCHENG epoch)" = 1 ] || fail "the new set does not vote after 30 s"
propose XIANGCHENG parameter ready.max_age_h 24
for m in XIANGCHENG CHANGNING HUBOFFICE; do vote approve "$id" "$m"; done
net_same_root XIANGCHENG CHANGNING HUBOFFICE >/dev/null || fail "the nodes differ"
net_stop XIANGCHENG CHANGNING HUBOFFICE
"$BIN/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" "$dir/net/XIANGCHENG/data" >"$dir/out" 2>&1 || fail "the audit fails"
echo "governance.sh: members decided, joined, were suspended and restored; a validator key was replaced"
