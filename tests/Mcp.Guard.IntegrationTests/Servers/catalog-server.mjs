// A server that lists the tools of a JSON file. Its other arguments: a file that it makes when it starts.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [catalog, marker] = process.argv.slice(2);
if (marker) {
  writeFileSync(marker, Object.keys(process.env).sort().join("\n"));
}

const { tools, instructions, capabilities } = JSON.parse(readFileSync(catalog, "utf8"));
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method } = JSON.parse(line);
  switch (method) {
    case "initialize":
      return send({
        id,
        result: { protocolVersion: "2025-11-25", capabilities: { tools: {}, ...capabilities }, serverInfo: { name: "\u001b[2Jcatalog", version: "1" }, instructions },
      });
    case "tools/list":
      return send({ id, result: { tools } });
    default:
      return id === undefined ? undefined : send({ id, error: { code: -32601, message: "Method not found" } });
  }
});
