import type { Server } from 'node:https';
import type { FastifyInstance, FastifyReply } from 'fastify';

export type Webhook = FastifyInstance<Server>;

/** Answers with a status and a fixed text. */
export const plain = (reply: FastifyReply, code: number, text: string): FastifyReply =>
  reply.code(code).type('text/plain; charset=utf-8').send(text);
