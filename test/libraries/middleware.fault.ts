import { ALL_TOGETHER, middlewareIsTheSame } from './middleware.js'

middlewareIsTheSame('@fastify/express', (name) => name !== ALL_TOGETHER)
