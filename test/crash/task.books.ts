import { until, type HttpClient } from '../support/http.client.js';

/** Waits until no task is queued or running. */
export async function allFinal(server: HttpClient, ms = 60_000): Promise<void> {
  const open = async (status: string): Promise<number> => (await server.get(`/tasks?status=${status}&limit=1`)).json.total;
  const isQuiet = async (): Promise<boolean> => (await open('queued')) + (await open('running')) === 0;
  // Twice: a task that goes back to the queue between the two looks is seen by neither of them.
  await until(async () => (await isQuiet()) && (await isQuiet()), ms);
}

/** Every task that an orchestrator knows, as its list shows it. */
export async function allTasks(server: HttpClient): Promise<any[]> {
  const tasks: any[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { json } = await server.get(`/tasks?limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    tasks.push(...json.tasks);
    cursor = json.next_cursor;
  }
  return tasks;
}
