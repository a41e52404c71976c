// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"log/slog"

	"github.com/maccracken/hoosh"
)

// logger writes to standard error as the configuration says; auto is text for a
// reader at a terminal and JSON for a machine. The level can be moved later.
// Once is for commands that only ask something.
func (a *app) logger(cfg hoosh.LogConfig, once bool) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(a.logLevel(cfg, once))
	options := &slog.HandlerOptions{Level: level}
	if a.textLog(cfg) {
		return slog.New(slog.NewTextHandler(a.err, options)), level
	}
	return slog.New(slog.NewJSONHandler(a.err, options)), level
}

func (a *app) textLog(cfg hoosh.LogConfig) bool {
	return cfg.Format == "text" || cfg.Format != "json" && a.errTTY
}

func (a *app) logLevel(cfg hoosh.LogConfig, once bool) slog.Level {
	level := slog.LevelInfo
	if cfg.Level != "" {
		level.UnmarshalText([]byte(cfg.Level)) //nolint:errcheck // it was validated
	}
	if once {
		level = max(level, slog.LevelError)
	}
	if a.Quiet {
		level = max(level, slog.LevelWarn)
	}
	if a.Verbose {
		level = slog.LevelDebug
	}
	return level
}
