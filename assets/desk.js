// The pages' scripts, in the order in which they are tied to the page once Dash has laid it out.

import * as banners from "./banners.js";
import * as blotter from "./blotter.js";
import * as calibration from "./calibration.js";
import { answered } from "./command.js";
import { $ } from "./dom.js";
import * as estimate from "./estimate.js";
import * as costs from "./costs.js";
import * as feed from "./feed.js";
import * as gauges from "./gauges.js";
import * as guards from "./guards.js";
import * as hands from "./hands.js";
import * as heatmap from "./heatmap.js";
import * as keys from "./keys.js";
import * as ladder from "./ladder.js";
import * as picker from "./picker.js";
import * as progress from "./progress.js";
import * as proposals from "./proposals.js";
import * as registry from "./registry.js";
import * as replay from "./replay.js";
import * as route from "./route.js";
import * as scores from "./scores.js";
import * as skill from "./skill.js";
import * as surface from "./surface.js";
import * as ticket from "./ticket.js";
import * as top from "./top.js";
import * as work from "./work.js";

const DESK = [top, surface, ladder, heatmap, gauges, estimate, ticket, proposals, guards, hands, blotter, progress, replay, banners, picker, keys];
const MODEL = [registry, scores, calibration, skill, work];
const PARTS = [...DESK, ...MODEL, costs, route];

// Promises must not reach Dash, which would wait for them: what it calls returns nothing.
window.dash_clientside = Object.assign(window.dash_clientside ?? {}, {
  tidegate: {
    answered: (answers) => void answered(answers),
    submit: (...values) => void ticket.submit(...values),
    ticket: (...values) => void ticket.changed(...values),
  },
});
window.tidegate = { views: feed.views, paints: feed.paints, choose: feed.choose };

function begin() {
  if (!$("desk") || !window.dash_clientside.set_props) return void requestAnimationFrame(begin);
  for (const part of PARTS) part.start();
  feed.start();
}

begin();
