-- pain: the rows of vitals with the free text of the pain field as a number, or as a category where it is a word.
--
-- What     8, 8.5 and 8/10 are numbers; 7-8 is its mean; the letter o is a zero. Above 10 (mostly 13, a placeholder) is
--          null, not 10. Words stay as typed in pain_raw, and the usual ones get a category: that a patient is intubated
--          or cannot answer is a sign of acuity.
-- Units    pain 0 to 10.
-- Source   MIMIC-IV-ED v2.2, table triage, column pain, free text since v2.0 (mimic-code issue 1340); 13: issue 1063.

CREATE TABLE pain AS
WITH texts AS (
    SELECT
        *,
        -- as typed, but on one line
        nullif(trim(regexp_replace(pain_typed, '[\s\x00-\x1f]+', ' ', 'g')), '') AS pain_raw,
        rtrim(lower(pain_raw), '. ')      AS word,
        numeral(word)          AS figure,
        CASE WHEN figure IS NULL
            THEN regexp_extract(word, '^(\d+(?:\.\d+)?)\s*/\s*10$', 1) END       AS of_10,
        CASE WHEN figure IS NULL
            THEN regexp_extract(word, '^(\d{1,3})\s*-\s*\d{1,3}$', 1) END         AS low_text,
        CASE WHEN figure IS NULL
            THEN regexp_extract(word, '^\d{1,3}\s*-\s*(\d{1,3})$', 1) END         AS high_text,
        coalesce(figure, numeral(of_10)) AS plain,
        numeral(low_text)      AS low,
        numeral(high_text)     AS high
    FROM vitals
)

SELECT
    * EXCLUDE (word, figure, of_10, low_text, high_text, plain, low, high),
    CASE
        WHEN plain BETWEEN $pain_low AND $pain_high THEN plain
        WHEN word = 'o' THEN 0
        WHEN low BETWEEN $pain_low AND $pain_high AND high BETWEEN $pain_low AND $pain_high THEN (low + high) / 2
    END AS pain,
    CASE
        WHEN word IN ('unable', 'ua', 'u/a', 'uta', 'u/t/a', 'unable to assess', 'unable to rate', 'unable to answer',
                      'nonverbal', 'non-verbal', 'non verbal', 'unresponsive', 'confused', 'ams') THEN 'unable'
        WHEN word IN ('ett', 'intubated', 'intub', 'tubed', 'vent', 'ventilated', 'sedated') THEN 'intubated'
        WHEN word IN ('critical', 'crit', 'trauma', 'stroke', 'code') THEN 'critical'
        WHEN word IN ('refused', 'refuses', 'declined', 'declines') THEN 'declined'
        WHEN word IN ('asleep', 'sleeping') THEN 'asleep'
    END AS pain_word,
    word = 'o'                             AS is_letter_o,
    low IS NOT NULL AND high IS NOT NULL   AS is_span,
    coalesce(plain, greatest(low, high)) > $pain_high AS is_above_10
FROM texts
