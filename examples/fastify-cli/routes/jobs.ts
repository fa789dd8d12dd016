import type { FastifyInstance } from 'fastify'

export default async function jobs(server: FastifyInstance): Promise<void> {
  server.get('/jobs', async () => ['web'])
}
