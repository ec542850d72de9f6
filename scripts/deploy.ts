/** `npm run deploy`: writes deploy/ from the chart. A test holds them equal. */
import { writeFileSync } from 'node:fs';
import { helmBinaries } from '../test/support/control-plane-binaries.ts';
import { deployFiles } from './chart/deploy-files.ts';

const { helm4 } = await helmBinaries((line) => console.error(line));
for (const { file, text } of deployFiles(helm4)) writeFileSync(file, text);
