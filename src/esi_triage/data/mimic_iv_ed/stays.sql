-- stays: one row a visit, what is known of the person at the door.
--
-- What     sex and way of arrival from edstays; age from hosp/patients of MIMIC-IV, which has no rows where that file was
--          not given. Nothing else of edstays is read: disposition, outtime and hadm_id are known only later, race is
--          nobody's business at triage.
-- Units    age_years in whole years: year(intime) - anchor_year + anchor_age. anchor_age is 91 for everybody over 89, so
--          there only a lower bound is known: over_age, 89, or less where the visit lies before the anchor year.
-- Source   MIMIC-IV-ED v2.2, doi 10.13026/5ntk-km72; MIMIC-IV, doi 10.13026/kpb9-mt58; schemas as in mimic-code.
--          Ages as in its concepts/demographics/age.sql; 91 for over 89: mimic-code issue 1231.

CREATE TABLE stays AS
WITH people AS (
    SELECT
        trim(subject_id)                AS subject_id,
        TRY_CAST(anchor_age AS INTEGER)  AS anchor_age,
        TRY_CAST(anchor_year AS INTEGER) AS anchor_year
    FROM patients
    WHERE source_row IN (SELECT min(source_row) FROM patients GROUP BY trim(subject_id))
),

visits AS (
    SELECT
        trim(stay_id)                            AS stay_id,
        trim(subject_id)                         AS subject_id,
        upper(trim(gender))                      AS gender,
        upper(trim(arrival_transport))           AS transport,
        year(TRY_CAST(trim(intime) AS TIMESTAMP)) AS year_in
    FROM edstays
    WHERE source_row IN (SELECT min(source_row) FROM edstays GROUP BY trim(stay_id))
),

aged AS (
    SELECT
        v.*,
        p.anchor_age,
        v.year_in - p.anchor_year                AS years_since_anchor,
        v.year_in - p.anchor_year + p.anchor_age AS age
    FROM visits AS v
    LEFT JOIN people AS p ON p.subject_id = v.subject_id
)

SELECT
    stay_id,
    subject_id,
    gender,
    CASE gender WHEN 'F' THEN 'F' WHEN 'M' THEN 'M' END AS sex,
    CASE transport
        WHEN 'WALK IN' THEN 'walk-in'
        WHEN 'AMBULANCE' THEN 'ambulance'
        WHEN 'HELICOPTER' THEN 'helicopter'
        WHEN 'OTHER' THEN 'other'
    END AS arrival,
    age AS age_typed,
    CASE WHEN age BETWEEN 0 AND 125 THEN CAST(age AS DOUBLE) END AS age_years,
    CASE WHEN anchor_age = 91 AND age BETWEEN 0 AND 125 THEN 89 + least(years_since_anchor, 0) END AS over_age
FROM aged
