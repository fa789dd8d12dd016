import { ALL_TOGETHER, middlewareIsTheSame } from './middleware.js'

middlewareIsTheSame('@fastify/middie')
// The long tests try each library by itself.
middlewareIsTheSame('@fastify/express', (name) => name === ALL_TOGETHER)
