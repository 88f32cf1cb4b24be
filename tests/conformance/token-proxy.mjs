// Adds the token of a gateway to each request, for test clients that have no place for one. Everything else passes as it is; a host or origin that names this
// proxy names the gateway then, and a foreign one stays foreign, for it is the gateway that has to refuse it.
// usage: node token-proxy.mjs PORT GATEWAY_PORT TOKEN
import { createServer, request as send } from 'node:http';

const [port, gateway, token] = process.argv.slice(2);
const mine = (value) => value?.replace(new RegExp(`^(http://)?(127\\.0\\.0\\.1|localhost):${port}$`), `$1$2:${gateway}`);
createServer((request, response) => {
  const headers = { ...request.headers, host: mine(request.headers.host), authorization: `Bearer ${token}` };
  if (headers.origin) {
    headers.origin = mine(headers.origin);
  }
  const onward = send({ host: '127.0.0.1', port: gateway, method: request.method, path: request.url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
    response.on('close', () => answer.destroy());
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}).listen(Number(port), '127.0.0.1');
