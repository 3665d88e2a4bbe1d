// XML signatures by npm's `xml-crypto`. One job per line of standard input, its fields divided by
// tabs; one line of answer each.
//
//   verify KIND CERTIFICATE.pem FILE                              valid | invalid: why
//   sign KIND ALGORITHM KEY.pem CERTIFICATE.pem TOKEN FILE TARGET signed
//
// KIND document: an enveloped signature over the whole document; voucher: over the element called
// Voucher, by its Id, as its last child; anything else: in the WS-Security header, over Body and
// Timestamp by their wsu:Ids, with TOKEN as what stands in KeyInfo.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

// The packages lie outside the repository, where NODE_PACKAGES says.
const packages = createRequire(process.env.NODE_PACKAGES);
const { SignedXml } = packages('xml-crypto');
const { DOMParser } = createRequire(packages.resolve('xml-crypto'))('@xmldom/xmldom');
const DS = 'http://www.w3.org/2000/09/xmldsig#';
const C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';

const soap = (kind) => !['document', 'voucher'].includes(kind);
const named = (name) => `//*[local-name()='${name}']`;

function verify(kind, certificate, file) {
  const xml = readFileSync(file, 'utf8');
  const signature = new SignedXml({
    publicCert: readFileSync(certificate, 'utf8'), ...(soap(kind) && { idMode: 'wssecurity' }) });
  const found = new DOMParser().parseFromString(xml, 'text/xml').getElementsByTagNameNS(DS, 'Signature');
  if (found.length !== 1) return `invalid: ${found.length} signatures`;
  signature.loadSignature(found[0]);
  return signature.checkSignature(xml) ? 'valid' : 'invalid';
}

function sign(kind, algorithm, key, certificate, token, file, target) {
  const signature = new SignedXml({
    privateKey: readFileSync(key, 'utf8'), publicCert: readFileSync(certificate, 'utf8'),
    signatureAlgorithm: algorithm, canonicalizationAlgorithm: C14N,
    ...(soap(kind) && { idMode: 'wssecurity', getKeyInfoContent: () => token }) });
  const cover = (xpath, transforms, more) =>
    signature.addReference({ xpath, transforms, digestAlgorithm: SHA256, ...more });
  const enveloped = [`${DS}enveloped-signature`, C14N];
  if (kind === 'document') cover('/*', enveloped, { isEmptyUri: true });
  else if (kind === 'voucher') cover(named('Voucher'), enveloped);
  else for (const name of ['Body', 'Timestamp']) cover(named(name), [C14N]);
  const parent = kind === 'document' ? '/*' : named(kind === 'voucher' ? 'Voucher' : 'Security');
  signature.computeSignature(readFileSync(file, 'utf8'), {
    prefix: 'ds', location: { reference: parent, action: 'append' } });
  writeFileSync(target, signature.getSignedXml());
  return 'signed';
}

for await (const line of createInterface({ input: process.stdin })) {
  const [task, ...fields] = line.split('\t');
  let answer;
  try {
    answer = (task === 'verify' ? verify : sign)(...fields);
  } catch (error) {
    answer = `${task === 'verify' ? 'invalid' : 'failed'}: ${String(error).replace(/\s+/g, ' ')}`;
  }
  console.log(answer);
}
