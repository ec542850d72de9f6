/** Bytes of a watch → its lines. A line ends at the byte 0x0A alone: U+2028 is data, and UTF-8 torn between chunks is whole again. */

/** More than any object that etcd takes (1.5 MiB), written as JSON. */
const longestLine = 64 * 1024 * 1024;

/** What follows the last line end is dropped: a half line, which the next watch sends again. Throws for a line over 64 MiB. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      const last = chunk.subarray(from, end);
      const line = parts.length === 0 ? last : Buffer.concat([...parts, last]);
      parts = [];
      length = 0;
      from = end + 1;
      if (line.length > 0) yield Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8');
    }
    if (from === chunk.length) continue;
    length += chunk.length - from;
    if (length > longestLine) throw new Error(`a line of more than ${longestLine} bytes`);
    parts.push(chunk.subarray(from));
  }
}
