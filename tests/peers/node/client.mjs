// A client made by npm's `soap` from a WSDL alone: node client.mjs WSDL-URL SOAP-VERSION < calls
//
// Reads a JSON array of [operation, argument] and prints an array of what came back: {reply} with
// the reply as `soap` reads it, or {fault} with the Fault's detail and {status}.
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

// The packages lie outside the repository, where NODE_PACKAGES says.
const soap = createRequire(process.env.NODE_PACKAGES)('soap');
const [url, version] = process.argv.slice(2);
const client = await soap.createClientAsync(url, { forceSoap12Headers: version === '1.2' });

const answers = [];
for (const [operation, argument] of JSON.parse(await text(process.stdin))) {
  try {
    const [reply] = await client[`${operation}Async`](argument);
    answers.push({ reply });
  } catch (error) {
    if (!error.root) throw error;
    const { Fault } = error.root.Envelope.Body;
    answers.push({ fault: Fault.detail ?? Fault.Detail ?? null, status: error.response.status,
      code: Fault.faultcode ?? Fault.Code.Value });
  }
}
process.stdout.write(JSON.stringify(answers));
