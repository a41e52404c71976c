// SPDX-License-Identifier: AGPL-3.0-only

// Package config reads hoosh.yaml into a [hoosh.Config].
//
//	cfg, err := config.Load("hoosh.yaml")
//	if err != nil {
//		log.Fatal(err) // every problem of the file, one a line, with its line and column
//	}
//	router, err := hoosh.New(*cfg)
//
// The keys are the fields of [hoosh.Config], in the words of its yaml tags, and
// [Schema] describes them. Unknown keys, wrong types and what the whole does not
// allow are refused, all at once. A value may hold ${VAR} and ${VAR:-default},
// and a secret may be {file: PATH}. Neither secrets nor what the environment
// held ever stand in an error.
//
// Reading a file does nothing else: what it leaves out stays unset and means
// what it means in a Config made in Go. Discovery and probes therefore stay off
// unless the file turns them on, although the command has them on by default.
package config
