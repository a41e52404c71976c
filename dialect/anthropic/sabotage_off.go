// SPDX-License-Identifier: AGPL-3.0-only

//go:build !sabotage

package anthropic

// sabotaged: a build with the tag sabotage loses the last byte of tool arguments
// and of tool results, to show that a test which should notice does.
const sabotaged = false
