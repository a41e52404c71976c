// SPDX-License-Identifier: AGPL-3.0-only

//go:build sabotage

package anthropic

const sabotaged = true
