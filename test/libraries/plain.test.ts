import { itIsTheSame, served } from './support/compare.js'
import { declareRoutes, REQUESTS } from './support/routes.js'

itIsTheSame('Fastify alone', served(declareRoutes, REQUESTS))
