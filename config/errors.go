package config

import (
	"errors"
	"fmt"
	"strings"
)

// Error is one thing that is wrong with a configuration, and where.
type Error struct {
	// Source is the file's name as it was given, or the environment variable.
	Source string
	// Line and Column count from 1; both are zero where there is no position to tell.
	Line, Column int
	// Message says what is wrong and what to do.
	Message string
}

// Error returns one line: pushcart.yml:7:3: message.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Source + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Source, e.Line, e.Column, e.Message)
}

// Errors is everything that is wrong with a configuration, in the order of the file.
type Errors []*Error

// Error returns one line for each.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// flatten returns the errors that errors.Join has put into err, and those in these.
func flatten(err error) []error {
	var joined interface{ Unwrap() []error }
	if err == nil {
		return nil
	}
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}
