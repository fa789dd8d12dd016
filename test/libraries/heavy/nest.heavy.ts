import 'reflect-metadata'
import { Readable } from 'node:stream'
import {
  Body,
  Controller,
  ForbiddenException,
  Get,
  Header,
  HttpCode,
  Module,
  Param,
  Post,
  Redirect,
  Sse,
  StreamableFile,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyInstance } from 'fastify'
import { from } from 'rxjs'
import { listen } from '../../exchange/runner.js'
import { type TalkRequest, talk } from '../support/client.js'
import { itIsTheSame, type Subject } from '../support/compare.js'
import { BIG } from '../support/routes.js'

class Cats {
  list() {
    return [{ name: 'Tom' }, { name: 'Felix' }]
  }
  one(name: string) {
    return { name }
  }
  create(cat: object) {
    return { created: cat }
  }
  big() {
    return BIG
  }
  denied() {
    throw new ForbiddenException('not yours')
  }
  thrown() {
    throw new Error('thrown by the controller')
  }
  file() {
    return new StreamableFile(Readable.from(['a,b\n', 'c,d\n']), { type: 'text/csv' })
  }
  moved() {
    return { url: '/cats/Tom' }
  }
  gone() {
    return undefined
  }
  events() {
    return from([{ data: { first: true } }, { data: 'second', id: '2' }])
  }
}

/** Applies decorators to a method, without the compiler's options for their syntax. */
function decorate(name: keyof Cats, ...decorators: MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(Cats.prototype, name)
  if (descriptor === undefined) throw new Error(`there is no ${name}`)
  for (const apply of decorators) apply(Cats.prototype, name, descriptor)
}

Controller('cats')(Cats)
decorate('list', Get())
decorate('big', Get('big'), Header('content-type', 'text/plain'))
decorate('denied', Get('denied'))
decorate('thrown', Get('thrown'))
decorate('file', Get('file'))
decorate('moved', Get('moved'), Redirect('/cats', 302))
decorate('gone', Get('gone'), HttpCode(204))
decorate('events', Sse('events'))
decorate('one', Get(':name'))
Param('name')(Cats.prototype, 'one', 0)
decorate('create', Post())
Body()(Cats.prototype, 'create', 0)

class AppModule {}
Module({ controllers: [Cats] })(AppModule)

const paths = ['', '/Tom', '/big', '/denied', '/thrown', '/file', '/moved', '/gone', '/not/there']
const JSON_TYPE = { 'content-type': 'application/json' }

const STEPS: TalkRequest[] = [
  ...paths.map((path) => ({ url: `/cats${path}` })),
  { url: '/cats/events', headers: { accept: 'text/event-stream', connection: 'keep-alive' } },
  { method: 'HEAD', url: '/cats' },
  { method: 'POST', url: '/cats', headers: JSON_TYPE, body: '{"name":"Garfield"}' },
  { method: 'POST', url: '/cats', headers: JSON_TYPE, body: '{"name":' },
]

/** Nest has a Fastify of its own, with types of its own. */
function isInstance(instance: object): instance is FastifyInstance {
  return 'addHook' in instance
}

const subject: Subject = {
  async build(registerAudit, note, logger) {
    const adapter = new FastifyAdapter({ logger })
    const instance: object = adapter.getInstance()
    if (!isInstance(instance)) throw new Error('Nest has no Fastify')
    await registerAudit(instance)
    const nest = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, {
      logger: false,
      abortOnError: false,
    })
    // As Nest's own middleware, through its own copy of middie.
    nest.use((request: { url?: string }, _response: object, next: () => void) => {
      note(`middleware ${request.url}`)
      next()
    })
    await nest.init()
    return instance
  },
  ask: async (app) => talk(await listen(app), STEPS),
}

itIsTheSame('@nestjs/platform-fastify', subject)
