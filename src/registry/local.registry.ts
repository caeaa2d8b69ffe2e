import { Injectable, type CanActivate } from '@nestjs/common';
import { ConflictError } from '../common/errors.js';
import { Settings } from '../config/settings.js';

/** Lets nobody write to a Registry that is not ours, whatever the body says; contract §5. */
@Injectable()
export class LocalRegistry implements CanActivate {
  constructor(private readonly settings: Settings) {}

  /** @throws ConflictError that names the REGISTRY_URL, if there is one */
  canActivate(): true {
    const { REGISTRY_URL: url } = this.settings;
    if (url !== null) throw new ConflictError(`Droplets are registered at ${url}`, { registry_url: url });
    return true;
  }
}
