/** Loaded before a process of which a heap snapshot is taken: V8 cuts the strings in it at 1024 letters otherwise. */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--heap-snapshot-string-limit=10000000');
