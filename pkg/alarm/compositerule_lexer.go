// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"strings"
	"unicode/utf8"
)

type ruleTokenKind int

const (
	ruleEnd ruleTokenKind = iota
	ruleOpen
	ruleClose
	ruleComma
	ruleNot
	ruleAnd
	ruleOr
	ruleAtLeast
	ruleConstant
	ruleState
	ruleNumber
	rulePercentage
	ruleName
	ruleQuoted
)

// ruleToken is a word of a rule.
type ruleToken struct {
	kind ruleTokenKind
	text string // as it is written
	at   int    // characters before it
}

const (
	ruleBlank      = " \t\r\n"
	ruleDelimiters = ruleBlank + "(),"
)

var ruleWords = map[string]ruleTokenKind{
	"NOT": ruleNot, "AND": ruleAnd, "OR": ruleOr, "AT_LEAST": ruleAtLeast, "TRUE": ruleConstant, "FALSE": ruleConstant,
	string(StateAlarm): ruleState, string(StateOK): ruleState, string(StateInsufficientData): ruleState,
}

// ruleTokens splits a rule. The last token is the end.
func ruleTokens(text string) []ruleToken {
	var tokens []ruleToken
	at := 0
	for {
		trimmed := strings.TrimLeft(text, ruleBlank)
		at += len(text) - len(trimmed)
		text = trimmed
		if text == "" {
			return append(tokens, ruleToken{kind: ruleEnd, text: "<EOF>", at: at})
		}
		t := ruleToken{at: at}
		t.kind, t.text = nextRuleToken(text)
		tokens = append(tokens, t)
		at += utf8.RuneCountInString(t.text)
		text = text[len(t.text):]
	}
}

func nextRuleToken(text string) (ruleTokenKind, string) {
	switch text[0] {
	case '(':
		return ruleOpen, text[:1]
	case ')':
		return ruleClose, text[:1]
	case ',':
		return ruleComma, text[:1]
	case '"':
		// Where the closing quote is missing, or glued to something, it is no quoted name.
		if end := quotedEnd(text); end > 0 && (end == len(text) || strings.IndexByte(ruleDelimiters, text[end]) >= 0) {
			return ruleQuoted, text[:end]
		}
	}
	end := strings.IndexAny(text, ruleDelimiters)
	if end < 0 {
		end = len(text)
	}
	word := text[:end]
	if kind, ok := ruleWords[word]; ok {
		return kind, word
	}
	switch digits := strings.TrimRight(word, "0123456789"); {
	case digits == "":
		return ruleNumber, word
	case word != "%" && digits == word && strings.HasSuffix(word, "%") && strings.Trim(word[:len(word)-1], "0123456789") == "":
		return rulePercentage, word
	}
	return ruleName, word
}

// quotedEnd is where a name in quotes ends, 0 when it does not.
func quotedEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// unquoteName is what quotes hold: a backslash before a quote or a backslash goes.
func unquoteName(text string) string {
	body := text[1 : len(text)-1]
	if strings.IndexByte(body, '\\') < 0 {
		return body
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		if body[i] == '\\' && i+1 < len(body) && (body[i+1] == '"' || body[i+1] == '\\') {
			i++
		}
		out = append(out, body[i])
	}
	return string(out)
}
