/** The images that a node of the tests runs; it can pull none. */
import { join } from 'node:path';
import { buildImage, docker, importFiles } from './image.ts';

/** Ours, Node without us for the other ends of connections, and what a node itself runs (real-node/). */
export const nodeImages = {
  portcullis: 'portcullis-node',
  node: 'portcullis-node-base',
  pause: 'portcullis-node-pause',
  coredns: 'portcullis-node-coredns',
} as const;

/** Builds all images and saves them into one tar in the directory; gives its path. */
export function saveNodeImages(directory: string, { coredns, busybox }: { readonly coredns: string; readonly busybox: string }): string {
  buildImage({ image: nodeImages.portcullis, base: nodeImages.node });
  importFiles(nodeImages.pause, new Map([[busybox, '/bin/busybox']]), ['/bin/busybox', 'sleep', '2147483647']);
  importFiles(nodeImages.coredns, new Map([[coredns, '/coredns']]), ['/coredns']);
  const tar = join(directory, 'images.tar');
  docker('save', '--output', tar, ...Object.values(nodeImages));
  return tar;
}
