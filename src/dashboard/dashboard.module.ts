import { Module } from '@nestjs/common';
import { DashboardController } from './dashboard.controller.js';

/** The page that shows what happens, to people. */
@Module({ controllers: [DashboardController] })
export class DashboardModule {}
