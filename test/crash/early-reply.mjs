// Loaded into the built server by `--import`: the control build. It replies before it commits, which the crash loop and strace must notice.
const { GroupCommit } = await import('../../dist/storage/sqlite/group.commit.js');

const COMMIT_AFTER_MS = 30;

GroupCommit.prototype.write = async function (statements) {
  if (!this.database.isTransaction) {
    this.database.exec('BEGIN IMMEDIATE');
    setTimeout(() => this.database.exec('COMMIT'), COMMIT_AFTER_MS);
  }
  return statements();
};
GroupCommit.prototype.close = function () {
  if (this.database.isTransaction) this.database.exec('COMMIT');
};
