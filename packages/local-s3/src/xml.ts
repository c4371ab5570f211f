/** Builds and parses XML: output is always well-formed, input is validated first, and entities are never expanded. */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { S3Error } from "./errors.ts";

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

const NAMED: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Characters XML 1.0 cannot carry become character references, as S3 itself writes them (encoding-type=url avoids them). */
export function escapeXml(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is being escaped
  return text.replace(
    /[&<>"\u0000-\u001f\u007f\ufffe\uffff]/g,
    (char) => NAMED[char] ?? `&#x${char.charCodeAt(0).toString(16)};`,
  );
}

type Content = string | number | boolean;

/** `<name>content</name>` with the content escaped; nothing at all when the content is undefined. */
export function element(name: string, content: Content | undefined): string {
  return content === undefined ? "" : `<${name}>${escapeXml(String(content))}</${name}>`;
}

/** An element that holds other elements. */
export function parent(name: string, ...children: readonly string[]): string {
  return `<${name}>${children.join("")}</${name}>`;
}

export function document(root: string, ...children: readonly string[]): string {
  return `${DECLARATION}<${root} xmlns="${NAMESPACE}">${children.join("")}</${root}>`;
}

export function errorDocument(fields: Readonly<Record<string, string | undefined>>): string {
  const children = Object.entries(fields).map(([name, value]) => element(name, value));
  return `${DECLARATION}<Error>${children.join("")}</Error>`;
}

export type XmlNode = string | { readonly [name: string]: XmlNode | readonly XmlNode[] };

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
});

export const malformedXml = (): S3Error =>
  new S3Error(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );

/** The child nodes of the one root element `root`. Throws MalformedXML. */
export function parseDocument(text: string, root: string): XmlNode {
  if (text.includes("<!") || XMLValidator.validate(text) !== true) throw malformedXml();
  const parsed = parser.parse(text) as Record<string, XmlNode>;
  const node = parsed[root];
  if (node === undefined || Array.isArray(node)) throw malformedXml();
  return node;
}

/** Every child element of that name, in order. */
export function children(node: XmlNode, name: string): readonly XmlNode[] {
  if (typeof node === "string") return [];
  const child = node[name];
  if (child === undefined) return [];
  return isList(child) ? child : [child];
}

/** The text of the only child of that name; undefined when there is none. Throws MalformedXML when there are several. */
export function childText(node: XmlNode, name: string): string | undefined {
  const found = children(node, name);
  const only = found[0];
  if (only === undefined) return undefined;
  if (found.length > 1 || typeof only !== "string") throw malformedXml();
  return unescapeXml(only);
}

const isList = (value: XmlNode | readonly XmlNode[]): value is readonly XmlNode[] => Array.isArray(value);

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&([^;\s]*);?/g, (_whole, name: string) => {
    const named = ENTITIES[name];
    if (named !== undefined) return named;
    const number = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    const code =
      number?.[1] === undefined ? Number.parseInt(number?.[2] ?? "", 10) : Number.parseInt(number[1], 16);
    if (!(code <= 0x10ffff)) throw malformedXml();
    return String.fromCodePoint(code);
  });
}
