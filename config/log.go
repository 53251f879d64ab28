package config

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

// Log says what the server writes to its standard error.
type Log struct {
	// Format is "text" (the default) or "json".
	Format string `yaml:"format"`
	// Level is the least level that is written: "debug", "info" (the default), "warn" or "error".
	Level string `yaml:"level"`
}

var (
	logFormats = []string{"text", "json"}
	logLevels  = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
)

// WithDefaults returns l with its zero values filled in.
func (l Log) WithDefaults() Log {
	if l.Format == "" {
		l.Format = "text"
	}
	if l.Level == "" {
		l.Level = "info"
	}
	return l
}

// Validate checks that both words are known. Its errors name the key.
func (l Log) Validate() error {
	l = l.WithDefaults()
	if !slices.Contains(logFormats, l.Format) {
		return fmt.Errorf("format is %q: it must be %s", oneLine(l.Format), list(logFormats, "or"))
	}
	if _, ok := logLevels[l.Level]; !ok {
		return fmt.Errorf("level is %q: it must be debug, info, warn or error", oneLine(l.Level))
	}
	return nil
}

// Logger returns a logger that writes to w as l says.
func (l Log) Logger(w io.Writer) *slog.Logger {
	l = l.WithDefaults()
	options := &slog.HandlerOptions{Level: logLevels[strings.ToLower(l.Level)]}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
