/** A task as the dashboard gets it. */
export const pageTask = <T extends object>(id: string, more: T) => ({
  ...{ id, droplet_name: 'echo', target_url: 'http://echo/', method: 'GET', path: '/', status: 'success' as const },
  ...{ response_status: 200, retry_count: 0, attempts: 1, created_at: 1000, completed_at: 1001, duration_ms: 5 },
  ...{ error_message: null, error: null, meta: null, priority: 5, run_at: null, callback: null },
  ...more,
});
