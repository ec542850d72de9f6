/** How often a generated test runs: the first number in `npm test`, the second in `npm run test:long`. */
export const runs = (short: number, long: number): number => (process.env['PORTCULLIS_LONG'] === '1' ? long : short);
