// A server that conforms, for the official suite: one of everything that its scenarios call by name. Over standard streams by default (behind the gateway), over
// HTTP with a port as the argument (alone).
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as types from '@modelcontextprotocol/sdk/types.js';

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=';
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';
const text = (value) => ({ type: 'text', text: value });
const image = { type: 'image', data: png, mimeType: 'image/png' };
const resource = (uri, mimeType, value) => ({ type: 'resource', resource: { uri, mimeType, text: value } });
const pause = () => new Promise((done) => setTimeout(done, 50));
const object = (properties = {}, required) => ({ type: 'object', properties, ...(required ? { required } : {}) });

function make() {
  const server = new Server(
    { name: 'conforming', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true }, prompts: { listChanged: true }, logging: {}, completions: {} } });

  const ask = async (extra, message, properties, required) => {
    const answer = await extra.sendRequest(
      { method: 'elicitation/create', params: { message, requestedSchema: { type: 'object', properties, required: required ?? [] } } }, types.ElicitResultSchema);
    return { content: [text(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)] };
  };

  const tools = {
    test_simple_text: [object(), () => ({ content: [text('This is a simple text response for testing.')] })],
    test_image_content: [object(), () => ({ content: [image] })],
    test_audio_content: [object(), () => ({ content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }] })],
    test_embedded_resource: [object(), () => ({ content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')] })],
    test_multiple_content_types: [object(), () => ({
      content: [text('Multiple content types test:'), image, resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')],
    })],
    test_tool_with_logging: [object(), async (_, extra) => {
      for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
        await pause();
      }
      return { content: [text('Logged.')] };
    }],
    test_tool_with_progress: [object(), async (_, extra) => {
      const progressToken = extra._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined) {
          await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
        }
        await pause();
      }
      return { content: [text('Done.')] };
    }],
    test_error_handling: [object(), () => ({ isError: true, content: [text('This tool intentionally returns an error for testing')] })],
    test_sampling: [object({ prompt: { type: 'string' } }, ['prompt']), async ({ prompt }, extra) => {
      const answer = await extra.sendRequest(
        { method: 'sampling/createMessage', params: { messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100 } }, types.CreateMessageResultSchema);
      return { content: [text(`LLM response: ${answer.content?.text ?? ''}`)] };
    }],
    test_elicitation: [object({ message: { type: 'string' } }, ['message']), ({ message }, extra) =>
      ask(extra, message, { username: { type: 'string', description: "User's response" }, email: { type: 'string', description: "User's email address" } }, ['username', 'email'])],
    test_elicitation_sep1034_defaults: [object(), (_, extra) => ask(extra, 'Please review the defaults', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    })],
    test_elicitation_sep1330_enums: [object(), (_, extra) => ask(extra, 'Please choose', {
      untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
      titledSingle: { type: 'string', oneOf: [{ const: 'value1', title: 'First Option' }, { const: 'value2', title: 'Second Option' }, { const: 'value3', title: 'Third Option' }] },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
      titledMulti: { type: 'array', items: { anyOf: [{ const: 'value1', title: 'First Choice' }, { const: 'value2', title: 'Second Choice' }, { const: 'value3', title: 'Third Choice' }] } },
    })],
    json_schema_2020_12_tool: [{
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: { address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
      properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
      additionalProperties: false,
    }, () => ({ content: [text('ok')] })],
  };
  server.setRequestHandler(types.ListToolsRequestSchema, () => ({
    tools: Object.entries(tools).map(([name, [inputSchema]]) => ({ name, description: `The tool ${name} of the conformance suite.`, inputSchema })),
  }));
  server.setRequestHandler(types.CallToolRequestSchema, ({ params }, extra) => {
    const tool = tools[params.name];
    if (!tool) {
      throw new types.McpError(types.ErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
    }
    return tool[1](params.arguments ?? {}, extra);
  });

  const fixed = {
    'test://static-text': { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
    'test://static-binary': { mimeType: 'image/png', blob: png },
    'test://watched-resource': { mimeType: 'text/plain', text: 'Watched.' },
  };
  server.setRequestHandler(types.ListResourcesRequestSchema, () => ({
    resources: Object.entries(fixed).map(([uri, { mimeType }]) => ({ uri, name: uri.slice(7), description: `The resource ${uri}.`, mimeType })),
  }));
  server.setRequestHandler(types.ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template', mimeType: 'application/json' }],
  }));
  server.setRequestHandler(types.ReadResourceRequestSchema, ({ params: { uri } }) => {
    const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
    const content = id ? { mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) } : fixed[uri];
    if (!content) {
      throw new types.McpError(-32002, `Unknown resource: ${uri}`);
    }
    return { contents: [{ uri, ...content }] };
  });
  server.setRequestHandler(types.SubscribeRequestSchema, () => ({}));
  server.setRequestHandler(types.UnsubscribeRequestSchema, () => ({}));

  const user = (content) => ({ role: 'user', content });
  const prompts = {
    test_simple_prompt: [[], () => [user(text('This is a simple prompt for testing.'))]],
    test_prompt_with_arguments: [['arg1', 'arg2'], (args) => [user(text(`Prompt with arguments: arg1='${args.arg1}', arg2='${args.arg2}'`))]],
    test_prompt_with_embedded_resource: [['resourceUri'], (args) => [
      user(resource(args.resourceUri, 'text/plain', 'Embedded resource content for testing.')), user(text('Please process the embedded resource above.'))]],
    test_prompt_with_image: [[], () => [user(image), user(text('Please analyze the image above.'))]],
  };
  server.setRequestHandler(types.ListPromptsRequestSchema, () => ({
    prompts: Object.entries(prompts).map(([name, [args]]) => ({ name, description: `The prompt ${name}.`, arguments: args.map((arg) => ({ name: arg, description: arg, required: true })) })),
  }));
  server.setRequestHandler(types.GetPromptRequestSchema, ({ params }) => {
    const prompt = prompts[params.name];
    if (!prompt) {
      throw new types.McpError(types.ErrorCode.InvalidParams, `Unknown prompt: ${params.name}`);
    }
    return { messages: prompt[1](params.arguments ?? {}) };
  });
  server.setRequestHandler(types.CompleteRequestSchema, () => ({ completion: { values: ['paris', 'park', 'party'], total: 3, hasMore: false } }));
  server.setRequestHandler(types.SetLevelRequestSchema, () => ({}));
  return server;
}

if (process.argv[2]) {
  const port = Number(process.argv[2]);
  const sessions = new Map();
  createServer(async (request, response) => {
    const own = [`127.0.0.1:${port}`, `localhost:${port}`];
    const origin = request.headers.origin;
    if (!own.includes(request.headers.host) || (origin && !own.includes(origin.replace(/^http:\/\//, '')))) {
      response.writeHead(403).end();
      return;
    }
    let transport = sessions.get(request.headers['mcp-session-id']);
    if (!transport) {
      transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (id) => sessions.set(id, transport) });
      await make().connect(transport);
    }
    await transport.handleRequest(request, response);
  }).listen(port, '127.0.0.1');
} else {
  await make().connect(new StdioServerTransport());
}
