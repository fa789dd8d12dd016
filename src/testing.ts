export { type MemorySink, memorySink } from './sinks/memory.js'
export { type FaultySink, faultySink } from './sinks/testing/faulty-sink.js'
export { type SinkUnderTest, type TestFunctions, testSink } from './sinks/testing/test-sink.js'
