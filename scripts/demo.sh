#!/usr/bin/env bash
# The main job in six short acts, every line computed: four nodes, the agreement of 22 May, pilot payments, a
# killed node, a forger, a receipt checked by software that is not ours. Ends in "demo: OK" only if everything
# held. LANG=zh_* speaks Chinese. KEEP=1 leaves the network running.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/net.sh

case ${LC_ALL:-${LANG:-}} in zh*) zh=1 en= ;; *) zh= en=1 ;; esac
began=$(date +%s.%N)
root=$(mktemp -d "${TMPDIR:-/tmp}/hubledger-demo.XXXXXX")
net=$root/net
finish() {
    local code=$?
    [ -n "${kept:-}" ] && return
    net_cleanup
    rm -rf "$root"
    [ $code = 0 ] || echo "demo: FAILED"
}
trap finish EXIT

say() { if [ -n "$zh" ]; then printf '  %s\n' "$2"; else printf '  %s\n' "$1"; fi; }
act() { printf '\n'; if [ -n "$zh" ]; then printf '%s\n' "$2"; else printf '%s\n' "$1"; fi; }
held() { # what must be so, what was seen, what must be seen
    [ "$2" = "$3" ] && return
    echo "demo: $1: expected '$3', got '$2'" >&2
    exit 1
}
hub() { timeout 60 "$BIN/hubledger" "$@"; }
field() { python3 -c 'import json,sys
v = json.load(sys.stdin)
for k in sys.argv[1].split("."): v = v[int(k)] if isinstance(v, list) else v.get(k, "")
print(v)' "$1"; }
quietly() { "$@" >"$root/out" 2>&1 || { cat "$root/out" >&2; echo "demo: failed: $*" >&2; exit 1; }; }
code_of() { # exit code of a command that may fail; its output stays in $root/out
    local rc=0
    "$@" >"$root/out" 2>&1 || rc=$?
    echo $rc
}
seconds() { python3 -c 'import sys; print("%.1f" % (float(sys.argv[1]) - float(sys.argv[2])))' "$(date +%s.%N)" "$1"; }

# ---------------------------------------------------------------------------------------------------
act "1. Four nodes, one genesis" "一、四个节点，一份创世文件"
net_make 4 "$net"
held "nodes" "${#MEMBERS[@]}" 4
key_files=$(find "$net" -name '*.key' | wc -l)
net_start
net_ready
chain=$(net_field XIANGCHENG chain)
for m in "${MEMBERS[@]}"; do held "chain of $m" "$(net_field "$m" chain)" "$chain"; done
say "$key_files key files, made one by one; genesis signed by all 4 voting members" "逐一生成 $key_files 个密钥文件；创世文件由 4 个表决成员全部签名"
say "chain $chain" "链标识 $chain"
say "nodes: ${MEMBERS[*]}; 3 of 4 decide, any 1 may lie or be silent" "节点：${MEMBERS[*]}；四取三，任一节点作恶或失联均不影响"

# ---------------------------------------------------------------------------------------------------
act "2. The agreement of 22 May" "二、5 月 22 日的战略合作协议"
seal() { echo "$net/$1/seal.key"; }
number=虹桥合作〔2026〕1号
paper=$root/agreement.txt paper2=$root/agreement-2.txt
cp docs/examples/agreement.txt "$paper"
{ cat "$paper"; printf '\n'; cat docs/examples/agreement-annex.txt; } >"$paper2"
sed "s/^sign_by.*/sign_by = $(date -d '+30 days' +%F)/" docs/examples/agreement.conf >"$root/1.conf"
{ cat "$root/1.conf"; printf '\nchange_note_zh = "增补教育、医疗、文旅合作"\nchange_note_en = "Education, medical care, culture and tourism added"\n'; } >"$root/2.conf"
quietly hub agreement draft --from "$root/1.conf" --document "$paper" --key "$(seal XIANGCHENG)" -o "$root/1.draft"
quietly hub agreement propose "$root/1.draft" --sign --document "$paper" --key "$(seal XIANGCHENG)" --confirm "sign $number" --wait --lang en
id=$(curl -s "$HUBLEDGER_NODE/v1/agreements" | field items.0.id)
say "Xiangcheng proposes and signs revision 1: agreement ${id:0:16}" "相城发起并签署第 1 稿：协议 ${id:0:16}"
quietly hub agreement sign "$id" --document "$paper" --key "$(seal CHANGNING)" --confirm "sign $number" --wait --lang en
quietly hub agreement return "$id" --remark "请补充教育、医疗、文旅合作" --key "$(seal JIADING)" --wait
say "Changning signs; Jiading sends it back: 请补充教育、医疗、文旅合作 (add education, medical care, culture and tourism)" "长宁签署；嘉定退回修改：请补充教育、医疗、文旅合作"
quietly hub agreement amend "$id" --from "$root/2.conf" --document "$paper2" --sign --key "$(seal XIANGCHENG)" --confirm "sign $number" --wait --lang en
quietly hub agreement sign "$id" --document "$paper2" --key "$(seal CHANGNING)" --confirm "sign $number" --wait --lang en
say "Revision 2; earlier consents do not carry over. $(hub agreement list --lang en | sed -n '1p')" "第 2 稿，先前的签署不延续。$(hub agreement list --lang zh | sed -n '1p')"
curl -s "$HUBLEDGER_NODE/v1/agreements/$id" >"$root/a.json"
held "waiting for" "$(field waiting_on.0 <"$root/a.json")" JIADING
say "$(field blocks.en <"$root/a.json")" "$(field blocks.zh <"$root/a.json")"
quietly hub agreement sign "$id" --document "$paper2" --key "$(seal JIADING)" --confirm "sign $number" --wait --lang en
held "state of the agreement" "$(curl -s "$HUBLEDGER_NODE/v1/agreements/$id" | field state)" in_force
say "Jiading signs: in force, 3 of 3 signed, nobody late" "嘉定签署：生效履行中，3/3 已签，无人逾期"
held "the signed paper" "$(code_of hub agreement check "$id" "$paper2" --lang en)" 0
say "Is this the paper we signed?  $(head -n 1 "$root/out" | cut -c1-100)" "这是我们签的那份吗？是：agreement-2.txt 与第 2 稿所载哈希一致"
printf ' ' >>"$paper2"
held "a paper with one more blank" "$(code_of hub agreement check "$id" "$paper2" --lang en)" 6
say "The same paper with one blank more?  No." "多一个空格的同一份文件？不是。"

# ---------------------------------------------------------------------------------------------------
act "3. Pilot money (simulated; pilot bookkeeping, not an issue of legal tender)" "三、试点资金（模拟；试点记账，不构成法定货币发行）"
operator=$net/BANK/operator.key
quietly hub currency issue 3 50000000.00 --key "$net/AUTHORITY/issuer-1.key" --wait
python3 - "$root" <<'PY'
import sys
root = sys.argv[1]
with open(root + "/enterprises.csv", "w") as f:
    f.write("owner,kind,tier\n" + "".join("%032x,corporate,0\n" % (i + 1) for i in range(1896)))
with open(root + "/staff.csv", "w") as f:
    f.write("owner,kind,tier\n" + "".join("%032x,personal,3\n" % (100000 + i) for i in range(300)))
PY
quietly hub wallet open --csv "$root/enterprises.csv" --key "$operator"
quietly hub wallet open --csv "$root/staff.csv" --key "$operator"
python3 - "$root" <<'PY'
import csv, sys
root = sys.argv[1]
def wallets(name):
    with open(f"{root}/{name}.result.csv", encoding="utf-8-sig") as f:
        return [row["wallet"] for row in csv.DictReader(f)]
enterprises, staff = wallets("enterprises"), wallets("staff")
assert len(enterprises) == 1896 and len(staff) == 300 and all(enterprises) and all(staff)
fen = [400000 + 7 * 1313 * i % 300000 for i in range(300)]  # 4,000.00 to 6,999.99 yuan
with open(f"{root}/wages.csv", "w") as f:
    f.write("to,amount_yuan,reference\n")
    f.writelines("%s,%d.%02d,wage-%03d\n" % (w, a // 100, a % 100, i) for i, (w, a) in enumerate(zip(staff, fen)))
with open(f"{root}/sum", "w") as f:
    f.write("%d.%02d %s %s %s\n" % (sum(fen) // 100, sum(fen) % 100, enterprises[0], staff[0], staff[1]))
PY
read -r total employer first second <"$root/sum"
say "issued 50,000,000.00 yuan to the institution; 1,896 enterprise wallets and 300 personal ones opened" "向运营机构发行 50,000,000.00 元；开立企业钱包 1,896 个、个人钱包 300 个"
quietly hub pay transfer 3000000.00 --from reserve --to "$employer" --purpose top-up --key "$operator" --wait
wages=(pay batch "$root/wages.csv" --from "$employer" --expect-count 300 --expect-total "$total" --key "$operator" --cosign-by "$net/BANK/checker.key" --wait)
quietly hub "${wages[@]}"
batch=$(hub log --json --limit 500 --after "$(($(net_field XIANGCHENG height) - 3))" | python3 -c 'import json,sys
print([r["record_id"] for r in map(json.loads, sys.stdin) if r["type"] == "currency.batch"][-1])')
say "wages for 300, $total yuan, one operator's signature and a checker's: record ${batch:0:16}" "代发 300 人工资 $total 元，一次签名加复核：记录 ${batch:0:16}"
rm -f "$root"/wages.result.csv
rc=$(code_of hub "${wages[@]}" --lang en)
grep -qiE 'batch_exists|already|before' "$root/out" || { cat "$root/out" >&2; echo "demo: the second run of the wages file was not told as recorded before (exit $rc)" >&2; exit 1; }
say "the same file again: already recorded, nobody is paid twice" "同一文件再次提交：已记录过，无人重复领款"
over=(pay transfer 6000.00 --from "$first" --to "$second" --key "$operator" --lang en)
held "a payment over its limit, asked first" "$(code_of hub "${over[@]}" --wait)" 4
seq=$(hub key hints --for "$operator" --json | field next_seq)
quietly hub "${over[@]}" --offline --seq "$seq" -o "$root/over.rec"
held "the same, signed elsewhere and sent all the same" "$(code_of hub record submit "$root/over.rec" --wait --lang en)" 1
grep -q above_payment_limit "$root/out" || { cat "$root/out" >&2; exit 1; }
say "one payment of 6,000.00 over its limit of 5,000.00: the node warns; sent all the same: recorded without effect (above_payment_limit)" "一笔 6,000.00 元超过单笔限额 5,000.00 元：节点先行提示；仍提交：已记录，未生效（above_payment_limit）"
curl -s "$HUBLEDGER_NODE/v1/supply" >"$root/supply.json"
held "sum of balances" "$(python3 -c 'import json,sys; print(sum(int(k["balance_fen"]) for k in json.load(open(sys.argv[1]))["by_kind"]))' "$root/supply.json")" \
    "$(field outstanding_fen <"$root/supply.json")"
say "totals reconcile: all balances add up to $(field outstanding <"$root/supply.json") yuan outstanding" "总账平衡：全部余额合计 = 流通量 $(field outstanding <"$root/supply.json") 元"

# ---------------------------------------------------------------------------------------------------
act "4. A node dies and comes back" "四、节点掉电与恢复"
before=$(net_field XIANGCHENG height)
net_kill CHANGNING
for i in 1 2 3; do quietly hub pay transfer "$i.00" --from "$first" --to "$second" --key "$operator" --wait; done
say "Changning's node killed with kill -9 at height $before; the others go on: height $(net_field XIANGCHENG height)" "长宁节点在高度 $before 被 kill -9；其余节点继续：高度 $(net_field XIANGCHENG height)"
net_start CHANGNING
read -r height state_root < <(net_same_root "${MEMBERS[@]}")
say "it is back; four equal state roots at height $height: ${state_root:0:32}" "长宁恢复；高度 $height 四个状态根一致：${state_root:0:32}"

# ---------------------------------------------------------------------------------------------------
act "5. A clerk edits one amount in his own copy" "五、经办员在自己的副本里改了一个数字"
quietly hub export "$net/JIADING/data" -o "$root/ledger.cbor"
held "the untouched copy" "$(code_of timeout 60 "$BIN/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" --lang en "$root/ledger.cbor")" 0
say "his untouched copy: $(tail -n 1 "$root/out" | cut -c1-120)" "未改动的副本：核验通过"
python3 - "$root" <<'PY'
import csv, sys
root = sys.argv[1]
data = bytearray(open(root + "/ledger.cbor", "rb").read())
row = list(csv.DictReader(open(root + "/wages.csv")))[111]
inst, slot, crc = (int(x) for x in row["to"].split("-"))
fen = int(row["amount_yuan"].replace(".", ""))
old = (inst << 48 | slot << 16 | crc).to_bytes(8, "big") + fen.to_bytes(8, "big")
at = data.find(old)
assert at > 0 and data.find(old, at + 1) < 0, "the entry stands once in the file"
data[at + 8 : at + 16] = (fen + 1000000).to_bytes(8, "big")
open(root + "/edited.cbor", "wb").write(data)
PY
held "the edited copy" "$(code_of timeout 60 "$BIN/hubledger-verify" --genesis "$HUBLEDGER_GENESIS" --lang "${zh:+zh}${en:+en}" "$root/edited.cbor")" 1
grep -q '111' "$root/out"
sed -n '/verified up to\|核验至/p; /findings\|问题/,$p' "$root/out" | cut -c1-180 | sed 's/^/  | /'

# ---------------------------------------------------------------------------------------------------
act "6. One receipt, checked offline by software that is not ours (WebCrypto)" "六、用第三方软件（WebCrypto）离线核验一份回执"
quietly hub receipt get "$batch" -o "$root/wages.receipt"
node scripts/check-receipt.mjs "$HUBLEDGER_GENESIS" "$root/wages.receipt" >"$root/verdict.json"
held "verdict of WebCrypto" "$(field verdict <"$root/verdict.json")" ok
held "record of the receipt" "$(field recordId <"$root/verdict.json")" "$batch"
say "wages.receipt, $(stat -c %s "$root/wages.receipt") bytes: ok at height $(field height <"$root/verdict.json"), $(field signers <"$root/verdict.json" | tr -d "[]'")" \
    "wages.receipt，$(stat -c %s "$root/wages.receipt") 字节：核验通过，高度 $(field height <"$root/verdict.json")，$(field signers <"$root/verdict.json" | tr -d "[]'")"
held "our own verdict" "$(code_of hub receipt verify "$root/wages.receipt")" 0

records=$(($(net_field XIANGCHENG log_size) - 2))
printf '\n'
if [ -n "${KEEP:-}" ]; then
    kept=1
    trap - EXIT
    say "the network runs on; its folder: $net" "网络继续运行，目录：$net"
    for m in "${MEMBERS[@]}"; do say "$m  $(net_api "$m")  pid ${NET_PID[$m]}" "$m  $(net_api "$m")  进程 ${NET_PID[$m]}"; done
    say "next: export HUBLEDGER_NODE=$HUBLEDGER_NODE HUBLEDGER_GENESIS=$HUBLEDGER_GENESIS" "下一步：export HUBLEDGER_NODE=$HUBLEDGER_NODE HUBLEDGER_GENESIS=$HUBLEDGER_GENESIS"
    say "      $BIN/hubledger status; $BIN/hubledger log; kill ${NET_PID[*]}" "      $BIN/hubledger status；$BIN/hubledger log；结束：kill ${NET_PID[*]}"
fi
echo "demo: OK ($records records, height $height, 4 nodes, $(seconds "$began") s)"
