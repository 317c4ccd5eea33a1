-- visits: one row for each row of triage: only what the triage nurse could know, and what speaks against the row.
--
-- What     pain (triage, cleaned) with stays. `problem` is null for a good row; a row with a problem goes to quarantine,
--          not into the case table. A missing value is no problem. The tables vitalsign, diagnosis, medrecon and pyxis
--          are written after triage and are not read here.
-- Units    as in vitals.sql, pain.sql, stays.sql. gold is the nurse's ESI level, 1 the most urgent.
-- Source   MIMIC-IV-ED v2.2. Levels: at this hospital level 1 also stands for trauma, stroke and STEMI, which the
--          handbook puts at 2. chiefcomplaint is VARCHAR(255) in mimic-code's create.sql.

CREATE TABLE visits AS
WITH texts AS (
    SELECT
        * EXCLUDE (stay_id, subject_id, chiefcomplaint),
        nullif(trim(stay_id), '')          AS stay_id,
        nullif(trim(subject_id), '')       AS subject_id,
        -- as written at the desk, but on one line: a line break could look like a new section to a model
        nullif(trim(regexp_replace(chiefcomplaint, '[\s\x00-\x1f]+', ' ', 'g')), '') AS chief_complaint,
        nullif(trim(acuity_typed), '')     AS acuity_raw,
        numeral(acuity_typed)   AS acuity
    FROM pain
),

judged AS MATERIALIZED (
    SELECT
        t.*,
        s.* EXCLUDE (stay_id, subject_id, gender),
        s.stay_id IS NULL AS is_stay_unknown,
        CASE
            WHEN t.stay_id IS NULL OR t.subject_id IS NULL THEN 'stay_id or subject_id is empty'
            WHEN acuity_raw IS NOT NULL AND NOT coalesce(acuity IN (1, 2, 3, 4, 5), false)
                THEN 'acuity is no ESI level from 1 to 5'
            WHEN length(chief_complaint) > 255
                THEN 'chiefcomplaint is longer than the 255 characters that its column holds: '
                    || length(chief_complaint)
            WHEN length(pain_raw) > 255 THEN 'pain is longer than 255 characters: ' || length(pain_raw)
            WHEN s.subject_id <> t.subject_id
                THEN 'subject_id is another one in edstays'
        END AS fault
    FROM texts AS t
    LEFT JOIN stays AS s ON s.stay_id = t.stay_id
),

firsts AS (SELECT min(source_row) AS source_row FROM judged WHERE fault IS NULL GROUP BY stay_id)

SELECT
    j.* EXCLUDE (fault, acuity, acuity_raw, acuity_typed, pain_typed),
    CASE
        WHEN j.fault IS NOT NULL THEN j.fault
        WHEN f.source_row IS NULL THEN 'stay_id occurs twice in triage; the first row is kept'
    END AS problem,
    CAST(CASE WHEN j.fault IS NULL THEN j.acuity END AS TINYINT) AS gold,
    list_filter(
        [
            'pain:' || j.pain_word,
            -- may be a true arrest: no number, but not lost
            CASE WHEN j.heart_rate_typed = 0 THEN 'zero:heart_rate' END,
            CASE WHEN j.resp_rate_typed = 0 THEN 'zero:resp_rate' END,
            CASE WHEN j.sbp_typed = 0 THEN 'zero:sbp' END,
            'age:over-' || j.over_age
        ],
        lambda tag: tag IS NOT NULL
    ) AS tags
FROM judged AS j
LEFT JOIN firsts AS f ON f.source_row = j.source_row
