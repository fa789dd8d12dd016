/** Stands in for a database client, so that the example needs none. */
export class FakeDatabase {
  readonly rows: string[] = []
  /** Which rows break a constraint. */
  rejects: (row: string) => boolean = () => false
  private isConnected = false

  async connect(): Promise<void> {
    this.isConnected = true
  }

  async disconnect(): Promise<void> {
    this.isConnected = false
  }

  /** Inserts the rows that it can, and gives the places of the others. */
  async insert(rows: readonly string[]): Promise<Set<number>> {
    if (!this.isConnected) throw new Error('not connected')
    const rejected = new Set<number>()
    for (const [index, row] of rows.entries()) {
      if (this.rejects(row)) rejected.add(index)
      else this.rows.push(row)
    }
    return rejected
  }
}
