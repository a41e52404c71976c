// SPDX-License-Identifier: AGPL-3.0-only

// Package codec has what several wire formats do alike: it reads JSON into typed
// values, and takes members out of a body without touching the rest.
package codec
