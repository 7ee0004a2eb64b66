#!/usr/bin/env bash
# Four real nodes, and everything officials do with an agreement: draft, propose, send back, amend, sign online and
# offline, refuse, let it lapse, ask whether a paper is the one that was signed, and take all signatures away in one file.
set -uo pipefail
cd "$(dirname "$0")/../.."
BIN=$PWD/build/release
. scripts/net.sh
root=$PWD
dir=$(mktemp -d)
trap 'net_cleanup; rm -rf "$dir"' EXIT

fail() {
    echo "agreement.sh: $*" >&2
    [ ! -f "$dir/out" ] || sed 's/^/  | /' "$dir/out" >&2
    exit 1
}

# expect EXIT TEXT COMMAND...: runs hubledger agreement; its exit code and a text it must say.
expect() {
    local want=$1 text=$2
    shift 2
    "$BIN/hubledger" agreement "$@" --lang en >"$dir/out" 2>&1 </dev/null
    local got=$?
    [ "$got" = "$want" ] || fail "exit $got, not $want: hubledger agreement $*"
    grep -qF -- "$text" "$dir/out" || fail "does not say '$text': hubledger agreement $*"
}
seal() { echo "$dir/net/$1/seal.key"; }

net_make 4 "$dir/net" || fail "no network"
net_start && net_ready || fail "the nodes do not start"
cd "$dir" || exit 1
printf 'the agreement' >main.txt
printf 'annex' >annex.txt
printf 'annex, corrected' >annex-2.txt
sed "s/^sign_by.*/sign_by = $(date -d '+30 days' +%F)/; s/^number.*/number = HQ-1/" \
    "$root/docs/examples/agreement.conf" >a.conf
papers=(--document main.txt --document annex.txt)
phrase='sign HQ-1'

# A draft is made of words and papers; what is wrong with it is said before anybody signs.
expect 2 "a.conf: name its documents" draft --from a.conf --key "$(seal XIANGCHENG)" -o a.draft
sed 's/as = lead/as = boss/' a.conf >bad.conf
expect 2 "'as = boss': no such choice" draft --from bad.conf "${papers[@]}" --key "$(seal XIANGCHENG)" -o a.draft
expect 0 "draft of agreement" draft --from a.conf "${papers[@]}" --key "$(seal XIANGCHENG)" -o a.draft
expect 0 "Number: HQ-1" review a.draft
expect 3 "exists" draft --from a.conf "${papers[@]}" --key "$(seal XIANGCHENG)" -o a.draft
expect 2 "another key" propose a.draft --key "$(seal JIADING)" --wait

# Signing takes every paper, the phrase, and the right key.
sign=(propose a.draft --sign --key "$(seal XIANGCHENG)" --wait)
expect 2 "annex.txt" "${sign[@]}" --document main.txt --confirm "$phrase"
expect 6 "not a document of this revision" "${sign[@]}" "${papers[@]}" --document annex-2.txt --confirm "$phrase"
expect 2 "typed confirmation" "${sign[@]}" "${papers[@]}" --yes
expect 2 "does not match" "${sign[@]}" "${papers[@]}" --confirm "sign HQ-2"
expect 0 "final" "${sign[@]}" "${papers[@]}" --confirm "$phrase"
expect 4 agreement_exists "${sign[@]}" "${papers[@]}" --confirm "$phrase"
expect 0 "waiting for Changning" show HQ-1
id=$(grep -o '[0-9a-f]\{64\}' out)

# One node is as good as another; a key of no party, or without the role, is told so.
expect 0 "final" sign "$id" "${papers[@]}" --confirm '同意签署 HQ-1' --key "$(seal CHANGNING)" --wait --node "$(net_api CHANGNING)"
expect 4 already_decided refuse HQ-1 --remark late --key "$(seal CHANGNING)" --wait
expect 4 role_missing sign "$id" "${papers[@]}" --confirm "$phrase" --key net/BANK/operator.key --wait
expect 2 "--remark" return "$id" --key "$(seal JIADING)" --wait
expect 0 "final" return "${id:0:8}" --remark "please correct the annex" --key "$(seal JIADING)" --wait
expect 0 "sent back by Jiading" show HQ-1
expect 0 "please correct the annex" show HQ-1

# The next draft starts again: the old paper no longer signs, and what was signed does not carry over.
second=(--document main.txt --document annex-2.txt)
expect 0 "final" amend HQ-1 --from a.conf "${second[@]}" --sign --confirm "$phrase" --key "$(seal XIANGCHENG)" --wait
expect 0 "1 of 3 have signed" show HQ-1
expect 6 "not a document of this revision" sign HQ-1 "${papers[@]}" --confirm "$phrase" --key "$(seal CHANGNING)" --wait
expect 0 "HQ-1" list --waiting-on CHANGNING
expect 0 "final" sign HQ-1 "${second[@]}" --confirm "$phrase" --key "$(seal CHANGNING)" --wait

# Jiading refuses, thinks again, and signs on a machine without a network.
expect 0 "final" refuse HQ-1 --remark "not yet" --key "$(seal JIADING)" --wait
expect 0 "Refused by Jiading" show HQ-1
expect 0 "would be accepted" sign HQ-1 "${second[@]}" --confirm "$phrase" --key "$(seal JIADING)" --dry-run
expect 0 "Refused by Jiading" show HQ-1
expect 0 "final" sign HQ-1 "${second[@]}" --confirm "$phrase" --remark "with pleasure" --key "$(seal JIADING)" --wait
expect 0 "in force, revision 2" show HQ-1
expect 0 "HQ-1" list --state in_force
expect 0 "final" sign HQ-1 "${second[@]}" --confirm "$phrase" --key "$(seal HUBOFFICE)" --wait # accession
expect 4 state_forbids amend HQ-1 --from a.conf "${second[@]}" --key "$(seal XIANGCHENG)" --wait

# Is this the paper we signed? And all signatures in one file.
expect 0 "YES annex-2.txt" check HQ-1 main.txt annex-2.txt
expect 6 "NO  annex.txt is 'annex.txt' of revision 1" check HQ-1 annex.txt
expect 6 "in no revision" check HQ-1 a.conf
expect 0 "4 signatures, each checked" export HQ-1 -o hq.cose
[ "$(od -An -tx1 -N2 hq.cose)" = " d8 62" ] || fail "hq.cose does not begin with tag 98"

# Offline: a second agreement, its records made without a node and submitted later; it lapses unsigned.
sed "s/^sign_by.*/sign_by = $(date -u -d '+6 seconds' +%FT%TZ)/; s/^number.*/number = HQ-2/" a.conf >b.conf
expect 0 "draft of agreement" draft --from b.conf "${papers[@]}" --key "$(seal CHANGNING)" -o b.draft
expect 0 "signed, not sent" propose b.draft --key "$(seal CHANGNING)" --offline --seq 40 -o b1.rec
expect 0 "signed, not sent" sign b.draft "${papers[@]}" --confirm 'sign HQ-2' --key "$(seal CHANGNING)" --offline --seq 41 -o b2.rec
"$BIN/hubledger" record submit b1.rec --wait --lang en >out 2>&1 || fail "b1.rec is not taken"
"$BIN/hubledger" record submit b2.rec --wait --lang en >out 2>&1 || fail "b2.rec is not taken"
expect 0 "1 of 3 have signed" show HQ-2
sleep 6
expect 4 sign_by_passed sign HQ-2 "${papers[@]}" --confirm 'sign HQ-2' --key "$(seal JIADING)" --wait
expect 0 "Lapsed; not signed in time by" show HQ-2
expect 0 "LATE" show HQ-2

net_same_root "${MEMBERS[@]}" >out || fail "the nodes do not agree"
